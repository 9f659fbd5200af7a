import JobModel
import ModelCalls

/// Makes slices of results out of result lines that come in pieces.
struct BatchSlices {
    /// What a line's JSON comes to; nil where it names no item.
    private let read: (JSONValue) -> BatchItemResult?
    /// What a line comes to that is no JSON, and that names an item all the same.
    private let unreadable: ModelFailure
    private var lines = LineReader(maxLineBytes: BatchSlices.maxLineBytes)
    private var slice: [BatchItemResult] = []
    private var bytes = 0
    /// How many lines named no item.
    private(set) var strangers = 0
    /// Whether the last line lacks its end.
    private(set) var isCut = false

    /// The most results in a slice.
    private static let maxResults = 100
    /// How many bytes of lines fill a slice: so few that a slice of large results is no burden.
    private static let fullBytes = 4 << 20
    /// The longest line read: an answer with the vectors of 2,048 inputs, as numbers, has some 80 MB.
    private static let maxLineBytes = 128 << 20

    /// Begins before the first line.
    init(unreadable: ModelFailure, _ read: @escaping (JSONValue) -> BatchItemResult?) {
        self.read = read
        self.unreadable = unreadable
    }

    /// Takes the next piece, and returns the slices that it fills.
    /// - Throws: ``HTTPFailure/tooLarge(limit:)``; nothing can be read on then.
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

    /// The results that fill no slice.
    mutating func flush() -> [BatchItemResult] {
        defer {
            slice = []
            bytes = 0
        }
        return slice
    }

    private mutating func take(_ line: [UInt8], isWhole: Bool) {
        bytes += line.count
        if let value = try? JSONValue.parse(line) {
            guard let result = read(value) else {
                strangers += 1
                return
            }
            slice.append(result)
        } else if !isWhole {
            isCut = true
        } else if let id = Self.id(in: line) {
            slice.append(BatchItemResult(id: id, outcome: .failure(unreadable)))
        } else {
            strangers += 1
        }
    }

    /// The item that a line names which is no JSON.
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
