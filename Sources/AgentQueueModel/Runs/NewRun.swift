/// A run that is about to start.
package struct NewRun: Sendable, Equatable {
    /// The name of the pipeline or mode that was asked for.
    package var name: String
    /// SHA-256 of the definition.
    package var digest: [UInt8]
    /// The pipeline with its roles, its mode's settings and its schemas, as JSON.
    package var definition: String
    /// The checked inputs, as an object.
    package var inputs: JSONValue
    /// The options of all its jobs.
    package var options: RunOptions
    /// A second run with the same key is refused until this one has failed, or is cancelled or pruned.
    package var uniqueKey: String?
    /// The configured notifications, by name, to send when it ends.
    package var onFinish: [String] = []
    /// The configured notifications, by name, to send if it fails.
    package var onFailure: [String] = []
    /// The first calls. Its run and version are not known yet.
    package var first: RunAdvance

    package init(name: String, digest: [UInt8], definition: String, inputs: JSONValue, options: RunOptions) {
        self.name = name
        self.digest = digest
        self.definition = definition
        self.inputs = inputs
        self.options = options
        first = RunAdvance(run: 0, version: 1)
    }
}

/// Options for all jobs of a run.
public struct RunOptions: Sendable, Equatable {
    /// The options as those of a job: those that ``JobOption/ofRuns`` lists.
    private var job = JobDraft()

    /// The queue the jobs wait in; nil means `default`.
    public var queue: String? {
        get { job.queue }
        set { job.queue = newValue }
    }
    /// 1 to 9; lower runs first. Nil means 5.
    public var priority: Int? {
        get { job.priority }
        set { job.priority = newValue }
    }
    /// Tags to find the jobs by.
    public var tags: [String] {
        get { job.tags }
        set { job.tags = newValue }
    }
    /// The target, `provider/model`, of calls that name none; it takes precedence over the configuration's default.
    public var model: String? {
        get { job.model }
        set { job.model = newValue }
    }

    /// Creates options. Each is unset by default.
    public init(queue: String? = nil, priority: Int? = nil, tags: [String] = [], model: String? = nil) {
        (self.queue, self.priority, self.tags, self.model) = (queue, priority, tags, model)
    }

    /// Takes the options of a run from those of a job, which then no longer has them.
    package init(from draft: inout JobDraft) {
        for option in JobOption.ofRuns {
            option.copy(draft, &job)
            option.reset(&draft)
        }
    }

    /// The form in which a run stores them.
    package var json: JSONValue {
        .object(JobOption.ofRuns.compactMap { option in option.write(job).map { .init(option.name, $0) } })
    }

    /// Reads what ``json`` wrote.
    /// - Throws: `DamagedValue` if it did not write this.
    package init(stored json: JSONValue) throws(DamagedValue) {
        let stored = try StoredObject(json, "options")
        for option in JobOption.ofRuns {
            guard let value = stored[option.name] else { continue }
            do { try option.read(OptionValue(value), &job) } catch { throw DamagedValue("\"options.\(option.name)\": \(error.inYAML)") }
        }
    }

    /// Gives a job the options that it does not have.
    package func complete(_ draft: inout JobDraft) {
        for option in JobOption.ofRuns where !option.isGiven(draft) { option.copy(job, &draft) }
    }
}

/// The receipt for a started run.
public struct StartedRun: Sendable, Equatable {
    /// The id of the run, or of the existing run with the same unique key.
    public var id: Int64
    /// The run that already had the unique key; nil if this one is new.
    public var duplicateOf: Int64?

    package init(id: Int64, duplicateOf: Int64? = nil) {
        self.id = id
        self.duplicateOf = duplicateOf
    }
}
