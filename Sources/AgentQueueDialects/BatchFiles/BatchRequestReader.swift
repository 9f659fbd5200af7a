import AgentQueueModel

/// Reads the requests of a batch as the pieces of its input come: OpenAI's from the lines of a file, Anthropic's from the body that makes the
/// batch. It holds one request and one piece.
package struct BatchRequestReader: Sendable {
    /// A request, or what is wrong with it.
    package typealias Line = Result<BatchRequest, BatchLineError>

    private enum Splitter {
        case lines(LineSplitter)
        case requests(RequestSplitter)
    }

    /// The endpoint of all lines; nil for Anthropic's requests.
    private let endpoint: BatchEndpoint?
    private var splitter: Splitter
    /// How many requests were read.
    package private(set) var count = 0
    private var inputs = 0
    private var models = Set<String>()

    /// The most models that one file may ask.
    private static let mostModels = 100
    /// How much longer a request may be with what belongs to it.
    private static let envelope = 4_096

    /// - Parameters:
    ///   - form: that of all requests.
    ///   - longest: the most bytes of a request.
    package init(form: RequestForm, longest: Int = JobLimits.maxRequestBytes) {
        endpoint = BatchEndpoint(form: form)
        let most = longest + Self.envelope
        splitter = form == .messages ? .requests(RequestSplitter(longest: most)) : .lines(LineSplitter(longest: most))
    }

    /// The most requests of a batch.
    private var most: Int { endpoint == nil ? 100_000 : 50_000 }

    /// Returns the requests that a piece completes, in order.
    /// - Throws: `BatchLineError` if the input is wrong as a whole. Then nothing more is to be read.
    package mutating func feed(_ piece: [UInt8]) throws(BatchLineError) -> [Line] {
        switch splitter {
        case .lines(var lines):
            // So that it is not copied.
            splitter = .lines(LineSplitter(longest: 0))
            let found = lines.feed(piece)
            splitter = .lines(lines)
            return try read(found)
        case .requests(var requests):
            splitter = .lines(LineSplitter(longest: 0))
            let found = try requests.feed(piece)
            splitter = .requests(requests)
            let first = count + 1
            return try read(found.enumerated().map { (first + $0.offset, $0.element) })
        }
    }

    /// Returns what the end of the input completes.
    /// - Throws: `BatchLineError` if the input is wrong as a whole.
    package mutating func finish() throws(BatchLineError) -> [Line] {
        var read: [Line] = []
        switch splitter {
        case .lines(var lines): read = try self.read(lines.finish())
        case .requests(let requests): try requests.finish()
        }
        guard count > 0 else {
            let (what, param) = endpoint == nil ? ("requests", "requests") : ("The file", nil)
            throw BatchLineError("empty_file", "\(what) is empty: send at least one request.", param: param)
        }
        return read
    }

    private mutating func read(_ found: [LineSplitter.Line]) throws(BatchLineError) -> [Line] {
        var lines: [Line] = []
        lines.reserveCapacity(found.count)
        for (number, bytes) in found {
            count += 1
            guard count <= most else {
                throw BatchLineError(
                    "max_requests_exceeded", "There are more than \(most) requests: send the rest in another batch.", line: number)
            }
            do throws(BatchLineError) {
                guard let bytes else {
                    throw BatchLineError("invalid_json_line", "The line is too long: send a shorter request.", line: number)
                }
                lines.append(.success(try request(bytes, number)))
            } catch {
                // What is wrong with no single line is wrong with all.
                guard error.line != nil else { throw error }
                lines.append(.failure(error))
            }
        }
        return lines
    }

    // MARK: One request

    private mutating func request(_ bytes: [UInt8], _ number: Int) throws(BatchLineError) -> BatchRequest {
        let value: JSONValue
        do { value = try JSONValue.parse(bytes) } catch {
            throw BatchLineError("invalid_json_line", "The request is \(error.description).", line: number)
        }
        guard value.members != nil else {
            throw BatchLineError("invalid_json_line", "The request must be a JSON object, not \(value.kindName).", line: number)
        }
        let id = try customID(value, number)
        guard let endpoint else { return BatchRequest(line: number, customID: id, body: try body("params", value, bytes, number)) }
        guard value["method"]?.string == "POST" else { throw Self.missing("method", "must be POST", number) }
        guard let url = value["url"]?.string else { throw Self.missing("url", "must be \(endpoint.path)", number) }
        // What is no endpoint is not this one either.
        guard (try? BatchEndpoint.of(url)) == endpoint else {
            throw BatchLineError("invalid_url", "url must be the batch's endpoint, \(endpoint.path).", param: "url", line: number)
        }
        let body = try body("body", value, bytes, number)
        try count(value["body"] ?? .null, endpoint, number)
        return BatchRequest(line: number, customID: id, body: body)
    }

    private func customID(_ value: JSONValue, _ number: Int) throws(BatchLineError) -> String {
        let id = value["custom_id"]?.string ?? ""
        guard endpoint == nil else {
            guard (1...512).contains(id.utf8.count) else { throw Self.missing("custom_id", "must be a text of 1 to 512 bytes", number) }
            return id
        }
        guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy(Self.isNameByte) else {
            throw Self.missing("custom_id", "must have 1 to 64 letters, digits, _ or -", number)
        }
        return id
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    private func body(_ name: String, _ value: JSONValue, _ bytes: [UInt8], _ number: Int) throws(BatchLineError) -> [UInt8] {
        guard value[name]?.members != nil else { throw Self.missing(name, "must be an object, the request itself", number) }
        // It was parsed above, so it is an object with each member once.
        guard let written = try? RawBody(bytes).written(name) else { throw Self.missing(name, "must be an object", number) }
        return Array(written)
    }

    /// Checks what is limited for the file as a whole.
    private mutating func count(_ body: JSONValue, _ endpoint: BatchEndpoint, _ number: Int) throws(BatchLineError) {
        if let model = body["model"]?.string, models.insert(model).inserted, models.count > Self.mostModels {
            throw BatchLineError(
                "mismatched_model", "The file asks more than \(Self.mostModels) models: send the others in another batch.",
                param: "body.model", line: number)
        }
        guard endpoint == .embeddings else { return }
        inputs += body["input"]?.array.map { $0.first?.int == nil ? $0.count : 1 } ?? 1
        guard inputs <= most else {
            throw BatchLineError(
                "max_requests_exceeded",
                "The file has more than \(most) inputs: send the rest in another batch.")
        }
    }

    private static func missing(_ name: String, _ what: String, _ number: Int) -> BatchLineError {
        BatchLineError("missing_required_parameter", "\(name) \(what).", param: name, line: number)
    }
}
