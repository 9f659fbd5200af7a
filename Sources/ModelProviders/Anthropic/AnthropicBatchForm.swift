import JobModel
import ModelCalls

/// The body of the request that makes a batch, put together one request at a time (protocols.md 2.7).
struct AnthropicBatchForm {
    private(set) var bytes: [UInt8] = []
    /// Whether any request holds what the API takes in its older version only.
    private(set) var hasSampling = false
    private var isEmpty = true

    /// Holds no request yet.
    /// - Parameter capacity: how many bytes it will have, more or less.
    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
        bytes.append(contentsOf: #"{"requests":["#.utf8)
    }

    /// Adds a request.
    /// - Throws: `ModelFailure` (`permanent`, not sent), where it cannot be sent in a batch.
    mutating func add(_ id: String, _ request: AnthropicRequest) throws(ModelFailure) {
        guard request.maxTokens > 0 else {
            throw ModelFailure.unsent("max_tokens of 0 only warms the prompt cache, which no batch does: send the job live")
        }
        guard request.body["speed"] == nil else { throw ModelFailure.unsent("'speed' is for live calls, and no batch takes it") }
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        hasSampling = hasSampling || request.hasSampling
        JSONValue.object([.init("custom_id", .string(id)), .init("params", request.body)]).write(to: &bytes, sorted: false)
    }

    /// Ends it: nothing is added any more.
    mutating func end() {
        bytes.append(contentsOf: "]}".utf8)
    }
}
