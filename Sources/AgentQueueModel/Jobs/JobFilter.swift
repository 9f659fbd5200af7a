/// Selects jobs. All conditions must hold; an empty filter selects every job. A condition with several values holds for any of them.
public struct JobFilter: Sendable, Equatable {
    /// The job is in one of these states; empty means any state.
    public var states: [JobState]
    /// The job belongs to one of the queues with these names; empty means any queue.
    public var queues: [String]
    /// The job's target is one of these, written `provider/model`; empty means any target.
    public var models: [String]
    /// The job belongs to one of the batches with these names; empty means any job, in a batch or not.
    public var batches: [String]
    /// The job carries one of these tags (exact match); empty means any job.
    public var tags: [String]
    /// The job's metadata has, for each of these keys, one of the values. A value that is not text compares as JSON: `3`, `true`.
    public var metadata: [String: [String]]
    /// The job's last error is of one of these classes; empty means any job, with errors or without.
    public var errorClasses: [FailureClass]
    /// One of these texts occurs in a message or an input of the job's request, in upper or lower case; empty means any job. Looks at every
    /// job that fulfils the other conditions, so it takes time in a large queue.
    public var texts: [String]
    /// Created at or after this time (wall clock, ms).
    package var since: Int64?
    /// Created before this time (wall clock, ms).
    package var until: Int64?
    /// The job was created for one of the runs with these ids; empty means any job, of a run or not.
    public var runs: [Int64]

    /// Creates a filter. Every condition is optional; with none, the filter selects every job.
    public init(
        states: [JobState] = [], queue: String? = nil, model: String? = nil, batch: String? = nil, tag: String? = nil, run: Int64? = nil
    ) {
        self.init(states: states, queue: queue, model: model, batch: batch, tag: tag, since: nil, run: run)
    }

    /// Creates a filter that can also select by time.
    /// - Parameter since: wall clock, ms.
    package init(
        states: [JobState] = [], queue: String? = nil, model: String? = nil, batch: String? = nil, tag: String? = nil, since: Int64?,
        run: Int64? = nil
    ) {
        self.states = states
        queues = queue.map { [$0] } ?? []
        models = model.map { [$0] } ?? []
        batches = batch.map { [$0] } ?? []
        tags = tag.map { [$0] } ?? []
        metadata = [:]
        errorClasses = []
        texts = []
        self.since = since
        runs = run.map { [$0] } ?? []
    }

    /// Whether it selects every job.
    package var isEmpty: Bool { self == JobFilter() }
}

extension JobFilter {
    /// Whether a job's request and metadata must be read to decide.
    package var readsContent: Bool { !texts.isEmpty || !metadata.isEmpty }

    /// Whether a job's metadata has what is asked for.
    package func matches(metadata stored: JSONValue?) -> Bool {
        metadata.allSatisfy { key, values in
            guard let value = stored?[key] else { return false }
            let text = ExactText(value.string ?? value.text)
            return values.contains { ExactText($0) == text }
        }
    }

    /// What ``texts`` look for.
    package var textSearch: TextSearch? { texts.isEmpty ? nil : TextSearch(texts) }
}

/// Looks for texts in requests, ignoring case.
package struct TextSearch: Sendable {
    private let needles: [[UInt8]]
    /// Whether the needles stand in a request's JSON as they are, but for case: ASCII that JSON does not escape.
    private let isPlain: Bool

    package init(_ texts: [String]) {
        needles = texts.map { Array($0.lowercased().utf8) }
        isPlain = needles.allSatisfy {
            $0.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        }
    }

    /// Whether a message or an input of a canonical request holds one of the texts.
    /// - Throws: `JSONError` if the request is damaged.
    package func matches(body: String) throws -> Bool {
        // Most requests can be ruled out without parsing them.
        if isPlain, !Self.holds(body, needles) { return false }
        return try JSONValue.parse(body).askedTexts.contains { Self.holds($0.lowercased(), needles) }
    }

    /// Whether a text holds a needle, where ASCII letters of both cases are the same.
    private static func holds(_ text: String, _ needles: [[UInt8]]) -> Bool {
        var text = text
        return text.withUTF8 { bytes in needles.contains { holds(bytes, $0) } }
    }

    private static func holds(_ bytes: UnsafeBufferPointer<UInt8>, _ needle: [UInt8]) -> Bool {
        guard let first = needle.first else { return true }
        guard bytes.count >= needle.count else { return false }
        for start in 0...(bytes.count - needle.count) where lowercase(bytes[start]) == first {
            if needle.indices.allSatisfy({ lowercase(bytes[start + $0]) == needle[$0] }) { return true }
        }
        return false
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte }
}

extension JSONValue {
    /// The texts that a canonical request asks about: the contents of its messages, the inputs of an `embed` job, the texts of a `memorize`
    /// job.
    package var askedTexts: [String] {
        let contents = (self["messages"]?.array ?? []).map { $0["content"] ?? .null } + ["input", "text", "texts"].compactMap { self[$0] }
        return contents.flatMap { content -> [String] in
            if let text = content.string { return [text] }
            return (content.array ?? []).compactMap { $0.string ?? $0["text"]?.string }
        }
    }
}
