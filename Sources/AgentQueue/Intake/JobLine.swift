import AgentQueueModel
import AgentQueueSettings

/// Reads lines of JSONL as jobs. The keys tell three formats apart: an Anthropic batch line has `params`, an OpenAI batch line has `body`,
/// and every other line is in AgentQueue's own format.
package struct JobLine: Sendable {
    /// Has the providers that a model's name may begin with, and the default targets.
    let context: IntakeContext
    /// The draft that every line starts from.
    let template: JobDraft
    /// The provider of all lines in a provider's batch form; nil for the one whose form it is.
    let provider: String?
    /// The options that the template sets.
    private let defaults: [JobOption]
    private let given: JobOption.IDs

    /// Makes a reader.
    /// - Parameters:
    ///   - defaults: options for lines that do not set them. A line's own value replaces the whole default (the `tags` of a line are all its
    ///     tags). Defaults that have no meaning for the kind of a line's job are dropped, and its prompt or input is never used as a default.
    ///   - provider: the provider that lines in OpenAI's or Anthropic's batch form go to. By default `openai` and `anthropic`.
    package init(defaults: JobDraft = JobDraft(), context: IntakeContext, provider: String? = nil) {
        var template = defaults
        template.parameters = []
        for option in JobOption.all where option.places.contains(.single) { option.reset(&template) }
        self.context = context
        self.template = template
        self.provider = provider
        given = JobOption.given(in: template)
        self.defaults = given.options
    }

    /// Reads one line. The draft still has to be validated.
    /// - Parameter bytes: the line without its line break.
    /// - Throws: `InputError`, without the line's number.
    package func draft(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> JobDraft { try read(bytes).draft }

    /// Reads one line of text, as ``draft(_:)-(UnsafeRawBufferPointer)``.
    /// - Throws: `InputError`.
    package func draft(_ text: String) throws(InputError) -> JobDraft {
        var text = text
        let result: Result<JobDraft, InputError> = text.withUTF8 { utf8 in
            Result { () throws(InputError) in try draft(UnsafeRawBufferPointer(utf8)) }
        }
        return try result.get()
    }

    /// Checks one line: throws exactly where ``job(_:)`` would, at a third of its cost.
    /// - Returns: its `custom_id`.
    /// - Throws: `InputError`, without the line's number.
    func check(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> String? {
        let line = try read(bytes)
        try line.draft.check(in: context, given: line.given)
        return line.draft.customID
    }

    /// Reads one line and validates its job.
    /// - Throws: `InputError`, without the line's number.
    func job(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> NewJob {
        let line = try read(bytes)
        return try line.draft.validated(in: context, given: line.given)
    }

    /// A line of which nothing has been read.
    var start: Reading { Reading(draft: template, given: given) }

    private func read(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> Reading {
        let members = try JSONValue.members(ofLine: bytes)
        var line = start
        for member in members {
            if member.key == "params" {
                try readAnthropic(members, into: &line)
                return line
            }
            if member.key == "body" {
                try readOpenAI(members, into: &line)
                return line
            }
        }
        try readOwn(members, into: &line)
        return line
    }

    /// A line that is being read.
    struct Reading {
        var draft: JobDraft
        /// The options that the draft sets: those of the line, and those of the defaults.
        var given: JobOption.IDs
        /// The options that the line itself sets.
        var said = JobOption.IDs()

        mutating func say(_ option: JobOption, _ member: JSONValue.Member) throws(InputError) {
            do {
                try option.read(OptionValue(member.value), &draft)
            } catch {
                // A value of the wrong type is bad data in a line, even where the same value in a flag would be a usage error.
                let fault = InputError(error, of: member.key, member.value)
                throw InputError(fault.message, kind: .badData)
            }
            said.insert(option.id)
            given.insert(option.id)
        }

        /// Sets an option from a member of a foreign line that has the same name there.
        mutating func say(_ member: JSONValue.Member) throws(InputError) {
            if let option = JobOption.byKey[member.key] { try say(option, member) }
        }

        func says(_ name: String) -> Bool { JobOption.byKey[name].map { said.contains($0.id) } ?? false }
    }

    /// Reads our own format: the options of a job as keys, beside parameters of the model's API.
    private func readOwn(_ members: [JSONValue.Member], into line: inout Reading) throws(InputError) {
        for member in members {
            switch LineKey.meanings[member.key] {
            case .option(let option):
                if !member.value.isNull { try line.say(option, member) }
            case .parameter:
                line.draft.parameters.append(member)
            case nil:
                let hint = Suggestion.hint(for: member.key, in: LineKey.names)
                throw InputError("unknown key \(InvalidText.quoted(member.key))\(hint)", kind: .badData)
            }
        }
        if line.draft.kind != .memorize, line.draft.inputs != nil, line.says("text") {
            throw InputError("text needs \"kind\": \"memorize\" beside it", kind: .badData)
        }
        if line.draft.kind == .generate, line.draft.inputs != nil, line.draft.prompt == nil, line.draft.messages == nil {
            throw InputError("input needs \"kind\": \"embed\" beside it", kind: .badData)
        }
        dropDefaults(&line)
    }

    /// Drops the defaults that have no meaning for this job. Options that the line itself sets stay, and are refused if they have no
    /// meaning.
    func dropDefaults(_ line: inout Reading) {
        for option in defaults where !line.said.contains(option.id) {
            guard !option.kinds.contains(line.draft.kind) || gives(way: option.name, in: line) else { continue }
            option.reset(&line.draft)
            line.given.remove(option.id)
        }
    }

    private func gives(way name: String, in line: Reading) -> Bool {
        let draft = line.draft
        return switch name {
        case "delay": line.says("at")
        case "at": line.says("delay")
        case "cache_ttl": !draft.cache
        case "batch_api": draft.kind == .memorize && draft.batchAPI == true
        case "deadline": draft.batchAPI == false || draft.kind == .memorize
        case "namespace": draft.kind == .generate && draft.recall == nil && !draft.remembers
        case "system": draft.holdsSystemMessage
        case "schema": draft.saysForm
        default: false
        }
    }
}

/// The keys of lines in our own format.
enum LineKey {
    enum Meaning {
        case option(JobOption)
        /// Passed through to the model's API.
        case parameter
    }

    /// Parameters of the models' APIs (OpenAI, Anthropic, local servers) that a line may have beside our own keys.
    static let parameters = [
        "audio", "cache_control", "chat_template_kwargs", "container", "dimensions", "encoding_format", "frequency_penalty",
        "function_call", "functions", "grammar", "ignore_eos", "inference_geo", "json_schema", "logit_bias", "logprobs",
        "max_completion_tokens", "mcp_servers", "min_p", "mirostat", "mirostat_eta", "mirostat_tau", "modalities", "moderation", "n",
        "n_probs", "output_config", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention", "reasoning", "reasoning_effort", "repeat_penalty", "repetition_penalty",
        "response_format", "safety_identifier", "seed", "service_tier", "speed", "stop", "store", "stream",
        "stream_options", "structured_outputs", "thinking", "tool_choice", "tools", "top_k", "top_logprobs", "top_p", "typical_p",
        "user", "verbosity", "web_search_options",
    ]

    /// All keys, for "did you mean".
    static let names = JobOption.all.filter { $0.places.contains(.line) }.map(\.name) + parameters

    /// By name. A switch over strings would compare with one after another.
    static let meanings: [String: Meaning] = {
        var meanings: [String: Meaning] = [:]
        for name in parameters { meanings[name] = .parameter }
        for (name, option) in JobOption.byKey { meanings[name] = .option(option) }
        return meanings
    }()
}

extension JobDraft {
    /// The draft as a line in our own format, which reads back as the same draft. Options that a line cannot have are left out.
    var lineMembers: [JSONValue.Member] {
        var members: [JSONValue.Member] = [.init("kind", .string(kind.rawValue))]
        for option in JobOption.all where option.places.contains(.line) {
            // `input` and `text` are two names for the same option.
            if option.name == (kind == .memorize ? "input" : "text") || option.name == "kind" { continue }
            if let value = option.write(self) { members.append(.init(option.name, value)) }
        }
        return members + parameters
    }
}
