import AgentQueueModel

/// The body of a `multipart/form-data` request (RFC 7578). The names of its fields and files must not need quoting.
struct MultipartForm: Sendable {
    /// A boundary follows a CR, which no line of JSON, and no name or label here, contains. So a constant boundary is safe.
    private static let boundary = "agent-queue-part-5f1c9a"

    /// The value of `Content-Type`.
    static let contentType = "multipart/form-data; boundary=\(boundary)"

    private(set) var bytes: [UInt8] = []

    /// Starts empty.
    /// - Parameter capacity: how many bytes to reserve.
    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity + 512)
    }

    /// Adds a field.
    mutating func add(_ name: String, _ value: String) {
        begin("name=\"\(name)\"", type: nil)
        bytes.append(contentsOf: value.utf8)
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// Adds a file of JSON lines, written by `write`.
    mutating func add(_ name: String, fileName: String, _ write: (inout [UInt8]) throws(ModelFailure) -> Void) throws(ModelFailure) {
        begin("name=\"\(name)\"; filename=\"\(fileName)\"", type: "application/jsonl")
        try write(&bytes)
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// Closes the body. Nothing can be added after this.
    mutating func end() {
        bytes.append(contentsOf: "--\(Self.boundary)--\r\n".utf8)
    }

    private mutating func begin(_ disposition: String, type: String?) {
        bytes.append(contentsOf: "--\(Self.boundary)\r\nContent-Disposition: form-data; \(disposition)\r\n".utf8)
        if let type { bytes.append(contentsOf: "Content-Type: \(type)\r\n".utf8) }
        bytes.append(contentsOf: "\r\n".utf8)
    }
}
