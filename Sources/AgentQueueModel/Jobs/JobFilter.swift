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
    /// The text occurs in a message or an input of the job's request, in upper or lower case. Looks at every job that fulfils the other
    /// conditions, so it takes time in a large queue.
    public var search: String?
    /// Created at or after this time (wall clock, ms).
    package var since: Int64?
    /// Created before this time (wall clock, ms).
    package var until: Int64?
    /// The job was created for the run with this id.
    public var run: Int64?

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
        self.since = since
        self.run = run
    }

    /// Whether it selects every job.
    package var isEmpty: Bool { self == JobFilter() }
}

extension JobFilter {
    /// Whether a job's request and metadata must be read to decide.
    package var readsContent: Bool { search != nil || !metadata.isEmpty }

    /// Whether a job's metadata has what is asked for.
    package func matches(metadata stored: JSONValue?) -> Bool {
        metadata.allSatisfy { key, values in
            guard let value = stored?[key] else { return false }
            let text = ExactText(value.string ?? value.text)
            return values.contains { ExactText($0) == text }
        }
    }

    /// The text to search for as ``matches(request:needle:)`` wants it; nil if there is none.
    package var needle: [UInt8]? { search.map { Array($0.lowercased().utf8) } }

    /// Whether a message or an input of a canonical request holds a text.
    /// - Parameter needle: in lower case, from ``needle``.
    package func matches(request: JSONValue, needle: [UInt8]) -> Bool {
        request.askedTexts.contains { Array($0.lowercased().utf8).firstRange(of: needle) != nil || needle.isEmpty }
    }
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
