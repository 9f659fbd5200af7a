/// Something that can be said about a job: its name, its type with its bounds, which jobs it is for, and where it may be said.
///
/// ``all`` is the only list of options. The reader of JSONL lines, the reader and the writer of pipelines, the schedule's stored job and
/// every check go by it; the command's flags are declared one by one, because their parser reads declared properties, and a test holds
/// them to it. To add an option, add a property to ``JobDraft``, a row here and a flag to the command, and use it where the job is made.
package final class JobOption: Sendable {
    /// Its place in ``all``.
    package let id: Int
    /// Its key in JSON and YAML: `max_tokens`.
    package let name: String
    /// What the command calls it: `--max-tokens`; nil where it has no flag of its own.
    package let flag: String?
    /// Which jobs it means something for.
    package let kinds: [JobKind]
    /// Where it may be said.
    package let places: Places
    /// Whether a draft says something else than nothing.
    package let isGiven: @Sendable (JobDraft) -> Bool
    /// Puts a written value into a draft; its bounds are not checked yet.
    package let read: @Sendable (OptionValue, inout JobDraft) throws(OptionFault) -> Void
    /// What a draft says, as JSON that reads back as the same; nil for nothing.
    package let write: @Sendable (JobDraft) -> JSONValue?
    /// Holds what a draft says against the bounds.
    package let check: @Sendable (JobDraft) throws(OptionFault) -> Void
    /// Takes over what one draft says into another.
    package let copy: @Sendable (_ source: JobDraft, _ draft: inout JobDraft) -> Void

    /// Where an option may be said.
    package struct Places: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A flag of the command that adds jobs.
        package static let command = Places(rawValue: 1)
        /// A key of a JSONL line.
        package static let line = Places(rawValue: 2)
        /// A key of a pipeline's step that asks a model.
        package static let step = Places(rawValue: 4)
        /// A key of a role too, which says it for steps that do not.
        package static let role = Places(rawValue: 8)
        /// Belongs to one job alone: a file of lines has no default for it.
        package static let single = Places(rawValue: 16)
        /// What the job asks, rather than how: the command has other ways to say it than a flag.
        package static let content = Places(rawValue: 32)
    }

    /// Several options, by their places in the table.
    package struct IDs: Sendable, Equatable {
        private var bits: UInt64 = 0

        package init() {}

        package func contains(_ id: Int) -> Bool { bits & (1 << UInt64(id)) != 0 }
        package mutating func insert(_ id: Int) { bits |= 1 << UInt64(id) }
        package mutating func remove(_ id: Int) { bits &= ~(1 << UInt64(id)) }

        /// The options, in the order of the table.
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

    /// Takes back what a draft says.
    package func reset(_ draft: inout JobDraft) { copy(JobDraft(), &draft) }

    /// By name, those that a JSONL line may hold.
    package static let byKey = Dictionary(all.filter { $0.places.contains(.line) }.map { ($0.name, $0) }) { first, _ in first }
    /// Those that a step of a pipeline may hold.
    package static let ofSteps = all.filter { $0.places.contains(.step) }
    /// Those that a role may hold.
    package static let ofRoles = all.filter { $0.places.contains(.role) }

    /// The options that a draft says something of.
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
        rows.add("model", \.model, .text, in: [.command, .line, .step, .role])
        rows.add("max_tokens", \.maxTokens, .integer(JobLimits.maxTokens), for: [.generate], in: [.command, .line, .step, .role])
        rows.add("temperature", \.temperature, .number(JobLimits.temperatures), for: [.generate], in: [.command, .line, .step, .role])
        rows.add("schema", \.schema, .schema, for: [.generate], in: outside)
        rows.add("sample", \.sample, .integer(JobLimits.samples), for: cached, in: everywhere)
        rows.add("queue", \.queue, .queueName, in: outside)
        rows.add("priority", \.priority, .integer(JobLimits.priorities, note: "lower runs first"), in: outside)
        rows.add("delay", \.delay, .duration(from: .zero), in: outside)
        rows.add("at", \.at, .time, in: outside)
        rows.add("expires_in", \.expiresIn, .duration(from: .milliseconds(1)), in: outside)
        rows.add("max_attempts", \.maxAttempts, .integer(JobLimits.attempts), in: everywhere)
        rows.add("timeout", \.timeout, .duration(from: .milliseconds(1)), in: everywhere)
        rows.add("budget", \.budget, .dollars, in: everywhere)
        rows.add("unique_key", \.uniqueKey, .name(maxBytes: JobLimits.maxUniqueKeyBytes), in: [.command, .line, .single])
        rows.add("custom_id", \.customID, .name(maxBytes: JobLimits.maxBatchNameBytes), in: [.line, .single])
        rows.add("tags", \.tags, .tags, in: outside, flag: "--tag")
        rows.add("batch", \.batch, .name(maxBytes: JobLimits.maxBatchNameBytes), in: outside)
        rows.add("after", \.after, .jobs, in: outside)
        rows.add("metadata", \.metadata, .metadata, in: outside)
        rows.add("cache", \.cache, .flag, in: everywhere, flag: "--no-cache")
        rows.add("cache_ttl", \.cacheTTL, .duration(within: JobLimits.cacheTTLs), for: cached, in: everywhere)
        rows.add("batch_api", \.batchAPI, .flag, in: outside)
        rows.add("deadline", \.deadline, .duration(from: .milliseconds(1)), in: outside)
        rows.add("on_finish", \.onFinish, .texts, in: outside)
        rows.add("on_batch_finish", \.onBatchFinish, .texts, in: [.command, .single])
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

/// The rows of the table, each with its place.
private struct Rows {
    var all: [JobOption] = []

    /// Adds a row; for every kind of job, unless told.
    mutating func add<Value: Equatable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<JobDraft, Value> & Sendable, _ type: OptionType<Value>,
        for kinds: [JobKind] = JobKind.allCases, in places: JobOption.Places, flag: String? = nil
    ) {
        all.append(JobOption(all.count, name, path, type, for: kinds, in: places, flag: flag))
    }

    /// Adds a row whose value need not be there.
    mutating func add<Value: Equatable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<JobDraft, Value?> & Sendable, _ type: OptionType<Value>,
        for kinds: [JobKind] = JobKind.allCases, in places: JobOption.Places, flag: String? = nil
    ) {
        all.append(JobOption(all.count, name, path, type.optional, for: kinds, in: places, flag: flag))
    }
}
