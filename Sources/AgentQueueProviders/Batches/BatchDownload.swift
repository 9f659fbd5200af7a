import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// Downloads the result lines of a batch from one address.
struct BatchDownload {
    let connection: APIConnection
    let url: String
    let headers: HTTPHeaders
    /// Makes a failure of an answer with an error status.
    let refusal: (HTTPAnswer) -> ModelFailure
    /// Reads a line; nil if it names no item.
    let result: (JSONValue) -> BatchItemResult?

    /// Reads everything, and hands it on in slices while it arrives.
    /// - Returns: why it could not be read to its end, if so. What had arrived by then has been handed on.
    /// - Throws: what `take` throws.
    func run(_ limit: CallLimit, _ take: ([BatchItemResult]) async throws -> Void) async throws -> ModelFailure? {
        let unreadable = { (error: JSONError) in
            let message = "\(connection.shown) answered a request of the batch with a line that is \(error)"
            return ModelFailure(.invalidReply, message, calls: 1, isMaybePaid: true)
        }
        var slices = BatchSlices(unreadable: unreadable) { line in
            result(line).map { read in
                var known = read
                known.outcome = read.outcome.withoutSecrets(connection.secrets)
                return known
            }
        }
        var headers = headers
        // The body is not one JSON text, and servers have several names for its type.
        headers.replaceOrAdd(name: "accept", value: "*/*")
        let ending = try await connection.transport.download(url, headers: headers, before: limit.deadline) { piece in
            for slice in try slices.feed(piece) { try await take(slice) }
        }
        if case .success(let answer) = ending, !(200..<300).contains(answer.status) { return refusal(answer) }
        if case .success = ending { slices.finish() }
        if Task.isCancelled { return connection.failure(.cancelled(hasBegun: false), limit) }
        let rest = slices.flush()
        if !rest.isEmpty { try await take(rest) }
        switch ending {
        case .failure(let failure): return Self.unpaid(connection.failure(failure, limit))
        case .success where slices.isCut:
            return ModelFailure(.retryable, "\(connection.shown) ended the batch's results before they were whole")
        case .success where slices.unknownLines > 0:
            return ModelFailure(.invalidReply, "\(connection.shown) sent \(slices.unknownLines) lines of results that name no request")
        case .success: return nil
        }
    }

    /// Reading is free, however it ends.
    static func unpaid(_ failure: ModelFailure) -> ModelFailure {
        var failure = failure
        failure.isMaybePaid = false
        failure.calls = 0
        return failure
    }
}

/// Collects result lines, which arrive in pieces, into slices of results.
struct BatchSlices {
    /// Reads a line's JSON; nil if it names no item.
    private let read: (JSONValue) -> BatchItemResult?
    /// The failure of an item whose line is not JSON.
    private let unreadable: (JSONError) -> ModelFailure
    private var lines = LineReader(maxLineBytes: BatchSlices.maxLineBytes)
    private var slice: [BatchItemResult] = []
    private var bytes = 0
    /// How many lines named no item.
    private(set) var unknownLines = 0
    /// Whether the last line is incomplete.
    private(set) var isCut = false

    /// The most results in a slice.
    private static let maxResults = 100
    /// A slice of this many bytes is full, so that large results do not pile up in memory.
    private static let fullBytes = 4 << 20
    /// The longest line that is read. An answer with the vectors of 2,048 inputs, as numbers, has about 80 MB.
    private static let maxLineBytes = 128 << 20

    /// Starts before the first line.
    init(unreadable: @escaping (JSONError) -> ModelFailure, _ read: @escaping (JSONValue) -> BatchItemResult?) {
        self.read = read
        self.unreadable = unreadable
    }

    /// Takes the next piece, and returns the slices that it completes.
    /// - Throws: ``HTTPFailure/tooLarge(limit:)``, after which nothing more can be read.
    mutating func feed(_ piece: [UInt8]) throws(HTTPFailure) -> [[BatchItemResult]] {
        var full: [[BatchItemResult]] = []
        for line in try lines.feed(piece) {
            take(line, isWhole: true)
            if slice.count >= Self.maxResults || bytes >= Self.fullBytes { full.append(flush()) }
        }
        return full
    }

    /// Takes the end.
    mutating func finish() {
        if let line = lines.finish() { take(line, isWhole: false) }
    }

    /// The results that do not fill a slice.
    mutating func flush() -> [BatchItemResult] {
        defer {
            slice = []
            bytes = 0
        }
        return slice
    }

    private mutating func take(_ line: [UInt8], isWhole: Bool) {
        bytes += line.count
        do throws(JSONError) {
            guard let result = read(try JSONValue.parseLeniently(line)) else {
                unknownLines += 1
                return
            }
            slice.append(result)
        } catch {
            if !isWhole {
                isCut = true
            } else if let id = Self.id(in: line) {
                slice.append(BatchItemResult(id: id, outcome: .failure(unreadable(error))))
            } else {
                unknownLines += 1
            }
        }
    }

    /// The item named by a line that is not JSON.
    private static func id(in line: [UInt8]) -> String? {
        guard let key = line.firstRange(of: "\"custom_id\"".utf8) else { return nil }
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var rest = line[key.upperBound...].drop(while: isBlank)
        guard rest.popFirst() == UInt8(ascii: ":") else { return nil }
        rest = rest.drop(while: isBlank)
        guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
        let id = rest.prefix { $0 != UInt8(ascii: "\"") }
        let text = String(decoding: id, as: UTF8.self)
        return id.endIndex < rest.endIndex && BatchRules.isName(text, atMost: BatchRules.maxItemID) ? text : nil
    }
}

/// Splits a body that arrives in pieces into lines, which end with LF or CR LF (JSON Lines). Empty lines are skipped.
struct LineReader: Sendable {
    private let maxLineBytes: Int
    /// The line that has not ended yet.
    private var line: [UInt8] = []

    /// Starts before the body's first byte.
    /// - Parameter maxLineBytes: the longest line that is read.
    init(maxLineBytes: Int) {
        self.maxLineBytes = maxLineBytes
    }

    /// Takes the next piece of the body, and returns the lines that it completes.
    /// - Throws: ``HTTPFailure/tooLarge(limit:)``, after which the body cannot be read any further.
    mutating func feed(_ bytes: [UInt8]) throws(HTTPFailure) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            try take(rest[..<end])
            rest = rest[(end + 1)...]
            if let whole = endLine() { lines.append(whole) }
        }
        try take(rest)
        return lines
    }

    /// Ends the body. Returns what follows the last line end: a line without an end, or the beginning of one that was cut off.
    mutating func finish() -> [UInt8]? { endLine() }

    private mutating func take(_ bytes: ArraySlice<UInt8>) throws(HTTPFailure) {
        guard bytes.count <= maxLineBytes - line.count else { throw HTTPFailure.tooLarge(limit: maxLineBytes) }
        line.append(contentsOf: bytes)
    }

    private mutating func endLine() -> [UInt8]? {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll() }
        return line.allSatisfy { $0 == UInt8(ascii: " ") } ? nil : line
    }
}
