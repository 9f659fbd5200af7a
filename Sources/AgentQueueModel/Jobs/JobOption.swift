/// Something that can be said about a job: its name, its type with its bounds, the kinds of job it applies to, and where it may appear.
///
/// ``all`` is the only list of options. The JSONL reader, the pipeline reader and writer, the job stored in a schedule and every check are
/// derived from it. The command's flags are declared one by one, because their parser reads declared properties, and a test compares them
/// with the table. To add an option, add a property to ``JobDraft``, a row here and a flag to the command, and use it where the job is
/// created.
package final class JobOption: Sendable {
    /// Its index in ``all``.
    package let id: Int
    /// Its key in JSON and YAML: `max_tokens`.
    package let name: String
    /// The command's flag for it, such as `--max-tokens`; nil if it has none of its own.
    package let flag: String?
    /// The kinds of job it applies to.
    package let kinds: [JobKind]
    /// Where it may appear.
    package let places: Places
    /// Whether a draft holds something other than the default.
    package let isGiven: @Sendable (JobDraft) -> Bool
    /// Puts a written value into a draft. Bounds are not checked yet.
    package let read: @Sendable (OptionValue, inout JobDraft) throws(OptionFault) -> Void
    /// The draft's value as JSON that reads back as the same value; nil for the default.
    package let write: @Sendable (JobDraft) -> JSONValue?
    /// Checks a draft's value against the bounds.
    package let check: @Sendable (JobDraft) throws(OptionFault) -> Void
    /// Copies the value from one draft to another.
    package let copy: @Sendable (_ source: JobDraft, _ draft: inout JobDraft) -> Void

    /// Where an option may appear.
    package struct Places: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A flag of the command that adds jobs.
        package static let command = Places(rawValue: 1)
        /// A key of a JSONL line.
        package static let line = Places(rawValue: 2)
        /// A key of a pipeline step that calls a model.
        package static let step = Places(rawValue: 4)
        /// A key of a role as well, which supplies it for steps that leave it out.
        package static let role = Places(rawValue: 8)
        /// Specific to one job: a file of lines has no default for it.
        package static let single = Places(rawValue: 16)
        /// What the job asks rather than how it runs: the command takes it by means other than a flag.
        package static let content = Places(rawValue: 32)
        /// An option of a run, for all its jobs.
        package static let run = Places(rawValue: 64)
    }

    /// A set of options, by their index in the table.
    package struct IDs: Sendable, Equatable {
        private var bits: UInt64 = 0

        package init() {}

        package func contains(_ id: Int) -> Bool { bits & (1 << UInt64(id)) != 0 }
        package mutating func insert(_ id: Int) { bits |= 1 << UInt64(id) }
        package mutating func remove(_ id: Int) { bits &= ~(1 << UInt64(id)) }

        package var options: [JobOption] {
            var options: [JobOption] = []
            var rest = bits
            while rest != 0 {
                options.append(JobOption.all[rest.trailingZeroBitCount])
                rest &= rest - 1
            }
            return options
        }
    }

    fileprivate init<Value: Equatable & Sendable>(
        _ id: Int, _ name: String, _ path: any WritableKeyPath<JobDraft, Value> & Sendable, _ type: OptionType<Value>, for kinds: [JobKind],
        in places: Places, flag: String?
    ) {
        let unsaid = JobDraft()[keyPath: path]
        self.id = id
        self.name = name
        self.flag = places.contains(.command) ? flag ?? "--" + name.replacing("_", with: "-") : nil
        self.kinds = kinds
        self.places = places
        isGiven = { $0[keyPath: path] != unsaid }
        read = { (value, draft) throws(OptionFault) in draft[keyPath: path] = try type.read(value) }
        write = { $0[keyPath: path] == unsaid ? nil : type.write($0[keyPath: path]) }
        check = { (draft) throws(OptionFault) in try type.check(draft[keyPath: path]) }
        copy = { $1[keyPath: path] = $0[keyPath: path] }
    }

    /// Resets the draft's value to the default.
    package func reset(_ draft: inout JobDraft) { copy(JobDraft(), &draft) }

    /// The options a JSONL line may hold, by name.
    package static let byKey = Dictionary(all.filter { $0.places.contains(.line) }.map { ($0.name, $0) }) { first, _ in first }
    /// The options a pipeline step may hold.
    package static let ofSteps = all.filter { $0.places.contains(.step) }
    /// The options a role may hold.
    package static let ofRoles = all.filter { $0.places.contains(.role) }
    /// The options that a run may have for all its jobs.
    package static let ofRuns = all.filter { $0.places.contains(.run) }

    /// The options that a draft sets.
    package static func given(in draft: JobDraft) -> IDs {
        var ids = IDs()
        for option in all where option.isGiven(draft) { ids.insert(option.id) }
        return ids
    }

    /// Every option, in the order in which they are written.
    package static let all: [JobOption] = {
        let everywhere: Places = [.command, .line, .step]
        let outside: Places = [.command, .line]
        let asked: Places = [.line, .single, .content]
        let cached: [JobKind] = [.generate, .embed]
        var rows = Rows()
        rows.add("kind", \.kind, .kind, in: asked)
        rows.add("prompt", \.prompt, .text, for: [.generate], in: asked)
        rows.add("messages", \.messages, .list, for: [.generate], in: asked)
        rows.add("input", \.inputs, .texts, in: asked)
        rows.add("text", \.inputs, .texts, in: asked)
        rows.add("system", \.system, .text, for: [.generate], in: [.command, .line, .step, .role])
        rows.add("role", \.role, .text, for: [.generate], in: everywhere)
        rows.add("model", \.model, .text, in: [.command, .line, .step, .role, .run])
        rows.add("temperature", \.temperature, .number(JobLimits.temperatures), for: [.generate], in: [.command, .line, .step, .role])
        rows.add("max_tokens", \.maxTokens, .integer(JobLimits.maxTokens), for: [.generate], in: [.command, .line, .step, .role])
        rows.add("schema", \.schema, .schema, for: [.generate], in: outside)
        rows.add("sample", \.sample, .integer(JobLimits.samples), for: cached, in: everywhere)
        rows.add("queue", \.queue, .queueName, in: [.command, .line, .run])
        rows.add("priority", \.priority, .integer(JobLimits.priorities, note: "lower runs first"), in: [.command, .line, .run])
        rows.add("delay", \.delay, .duration(from: .zero), in: outside)
        rows.add("at", \.at, .time, in: outside)
        rows.add("expires_in", \.expiresIn, .duration(from: .milliseconds(1)), in: outside)
        rows.add("max_attempts", \.maxAttempts, .integer(JobLimits.attempts), in: everywhere)
        rows.add("timeout", \.timeout, .duration(from: .milliseconds(1)), in: everywhere)
        rows.add("budget", \.budget, .dollars, in: everywhere)
        rows.add("unique_key", \.uniqueKey, .name(maxBytes: JobLimits.maxUniqueKeyBytes), in: [.command, .line, .single])
        rows.add("custom_id", \.customID, .name(maxBytes: JobLimits.maxBatchNameBytes), in: [.line, .single])
        rows.add("tags", \.tags, .tags, in: [.command, .line, .run], flag: "--tag")
        rows.add("batch", \.batch, .name(maxBytes: JobLimits.maxBatchNameBytes), in: outside)
        rows.add("after", \.after, .jobs, in: outside)
        rows.add("metadata", \.metadata, .metadata, in: outside)
        rows.add("cache", \.cache, .flag, in: everywhere, flag: "--no-cache")
        rows.add("cache_ttl", \.cacheTTL, .duration(within: JobLimits.cacheTTLs), for: cached, in: everywhere)
        rows.add("batch_api", \.batchAPI, .flag, in: outside)
        rows.add("deadline", \.deadline, .duration(from: .milliseconds(1)), in: outside)
        rows.add("on_finish", \.onFinish, .texts, in: outside)
        rows.add("on_batch_finish", \.onBatchFinish, .texts, in: [.command, .single])
        rows.add("on_failure", \.onFailure, .texts, in: outside)
        rows.add("on_batch_failure", \.onBatchFailure, .texts, in: [.command, .single])
        rows.add("namespace", \.namespaces, .texts, for: [.generate, .memorize], in: everywhere)
        rows.add("key", \.key, .memoryKey, for: [.memorize], in: [.command, .line, .single])
        rows.add("importance", \.importance, .number(0...1), for: [.memorize], in: outside)
        rows.add("ttl", \.expiry, .expiry, for: [.memorize], in: outside)
        rows.add("recall", \.recall, .integer(1...MemoryUse.mostRecalled, unit: "memories"), for: [.generate], in: everywhere)
        rows.add("remember", \.remembers, .flag, for: [.generate], in: everywhere)
        rows.add("stream", \.isStreamed, .flag, for: [.generate], in: [.command, .single])
        return rows.all
    }()
}

/// Collects the rows of the table and numbers them.
private struct Rows {
    var all: [JobOption] = []

    /// Adds a row; it applies to every kind of job by default.
    mutating func add<Value: Equatable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<JobDraft, Value> & Sendable, _ type: OptionType<Value>,
        for kinds: [JobKind] = JobKind.allCases, in places: JobOption.Places, flag: String? = nil
    ) {
        all.append(JobOption(all.count, name, path, type, for: kinds, in: places, flag: flag))
    }

    /// Adds a row for an optional value.
    mutating func add<Value: Equatable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<JobDraft, Value?> & Sendable, _ type: OptionType<Value>,
        for kinds: [JobKind] = JobKind.allCases, in places: JobOption.Places, flag: String? = nil
    ) {
        all.append(JobOption(all.count, name, path, type.optional, for: kinds, in: places, flag: flag))
    }
}
