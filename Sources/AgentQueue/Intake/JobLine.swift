import AgentQueueModel
import AgentQueueSettings

/// Reads lines of JSONL as jobs. Three forms are told apart by their keys: an Anthropic batch line has `params`, an OpenAI batch line
/// `body`, and everything else is ours.
package struct JobLine: Sendable {
    /// What the lines do not say.
    let defaults: JobDefaults
    /// The providers that a model's name may begin with, and the targets that lines without a model go to.
    let context: IntakeContext
    /// The defaults as the draft that each line starts from.
    let template: JobDraft

    /// Makes a reader.
    package init(defaults: JobDefaults, context: IntakeContext) {
        self.defaults = defaults
        self.context = context
        template = defaults.draft
    }

    /// Reads one line. What is returned still has to be validated.
    /// - Parameter bytes: the line without its line break.
    /// - Throws: `InputError`, without the line's number.
    package func draft(_ bytes: UnsafeRawBufferPointer) throws(InputError) -> JobDraft {
        let members = try JSONValue.members(ofLine: bytes)
        for member in members {
            if member.key == "params" { return try anthropicDraft(members) }
            if member.key == "body" { return try openAIDraft(members) }
        }
        return try ownDraft(members)
    }

    /// Reads one line of text. As ``draft(_:)-(UnsafeRawBufferPointer)``.
    /// - Throws: `InputError`.
    package func draft(_ text: String) throws(InputError) -> JobDraft {
        var text = text
        let result: Result<JobDraft, InputError> = text.withUTF8 { utf8 in
            Result { () throws(InputError) in try draft(UnsafeRawBufferPointer(utf8)) }
        }
        return try result.get()
    }

    /// Takes away what the defaults said and this kind of job, or a line with its own system message or its own form of the answer,
    /// has no use for.
    func settle(_ draft: inout JobDraft, lineSaysSystem: Bool, lineSaysSchema: Bool = false) {
        if !lineSaysSchema, draft.schema != nil, draft.kind != .generate || draft.saysForm { draft.schema = nil }
        if draft.kind != .generate {
            if !lineSaysSystem, draft.system == defaults.system { draft.system = nil }
            if draft.role == defaults.role { draft.role = nil }
            return
        }
        if !lineSaysSystem, draft.system != nil, draft.holdsSystemMessage { draft.system = nil }
    }
}

extension JobLine {
    /// Our own form: the options of `enqueue` as keys, and parameters of the model's API beside them.
    func ownDraft(_ members: [JSONValue.Member]) throws(InputError) -> JobDraft {
        var draft = template
        var said = Said()
        for member in members {
            switch LineKey.meanings[member.key] {
            case .key(let key):
                if !member.value.isNull { try apply(member, key, to: &draft, &said) }
            case .parameter:
                draft.parameters.append(member)
            case nil:
                let hint = Suggestion.hint(for: member.key, in: LineKey.allCases.map(\.rawValue) + LineKey.parameters)
                throw InputError("unknown key \(InvalidText.quoted(member.key))\(hint)", exit: .badData)
            }
        }
        if draft.kind != .memorize, said.text { throw InputError("text needs \"kind\": \"memorize\" beside it", exit: .badData) }
        if draft.kind == .generate, draft.inputs != nil, draft.prompt == nil, draft.messages == nil {
            throw InputError("input needs \"kind\": \"embed\" beside it", exit: .badData)
        }
        if said.time { if !said.delay { draft.delay = nil } else if !said.at { draft.at = nil } }
        if !draft.cache, !said.cacheTTL { draft.cacheTTL = nil }
        if draft.batchAPI == false, !said.deadline { draft.deadline = nil }
        if draft.kind != .generate {
            if !said.maxTokens { draft.maxTokens = nil }
            if !said.temperature { draft.temperature = nil }
            if !said.recall { draft.recall = nil }
            if !said.remember { draft.remembers = false }
        }
        if draft.kind == .memorize {
            if !said.cacheTTL { draft.cacheTTL = nil }
            if !said.sample { draft.sample = nil }
            if !said.batchAPI, draft.batchAPI == true { (draft.batchAPI, draft.deadline) = (nil, said.deadline ? draft.deadline : nil) }
        } else {
            if !said.importance { draft.importance = nil }
            if !said.ttl { draft.expiry = .usual }
            if !said.namespace, draft.recall == nil, !draft.remembers { draft.namespaces = [] }
        }
        settle(&draft, lineSaysSystem: said.system, lineSaysSchema: said.schema)
        return draft
    }

    /// Which keys of those that defaults give way to stood in the line.
    private struct Said {
        var delay = false
        var at = false
        var system = false
        var maxTokens = false
        var temperature = false
        var schema = false
        var cacheTTL = false
        var deadline = false
        var text = false
        var sample = false
        var batchAPI = false
        var namespace = false
        var importance = false
        var ttl = false
        var recall = false
        var remember = false
        var time: Bool { delay || at }
    }

    private func apply(
        _ member: JSONValue.Member, _ key: LineKey, to draft: inout JobDraft, _ said: inout Said
    ) throws(InputError) {
        switch key {
        case .prompt: draft.prompt = try member.requiredString()
        case .messages: draft.messages = try member.requiredList()
        case .input: draft.inputs = try member.requiredInputs()
        case .text:
            draft.inputs = try member.requiredInputs()
            said.text = true
        case .model: draft.model = try member.requiredString()
        case .kind: draft.kind = try kind(member)
        case .system:
            draft.system = try member.requiredString()
            said.system = true
        case .maxTokens:
            draft.maxTokens = try member.requiredInteger()
            said.maxTokens = true
        case .temperature:
            draft.temperature = try member.requiredNumber()
            said.temperature = true
        case .schema:
            draft.schema = .object(try member.requiredObject())
            said.schema = true
        case .delay:
            draft.delay = try member.requiredDuration()
            said.delay = true
        case .at:
            draft.at = try JobText.time(try member.requiredString(), named: "at")
            said.at = true
        case .cacheTTL:
            draft.cacheTTL = try member.requiredDuration()
            said.cacheTTL = true
        case .deadline:
            draft.deadline = try member.requiredDuration()
            said.deadline = true
        case .sample:
            draft.sample = try member.requiredInteger()
            said.sample = true
        case .batchAPI:
            draft.batchAPI = try member.requiredBool()
            said.batchAPI = true
        case .namespace, .key, .importance, .ttl, .recall, .remember: try applyMemory(member, key, to: &draft, &said)
        case .role: draft.role = try member.requiredString()
        default: try applySettings(member, key, to: &draft)
        }
    }

    private func applyMemory(
        _ member: JSONValue.Member, _ key: LineKey, to draft: inout JobDraft, _ said: inout Said
    ) throws(InputError) {
        switch key {
        case .namespace:
            draft.namespaces = try member.requiredInputs()
            said.namespace = true
        case .key: draft.key = try member.requiredString()
        case .importance:
            draft.importance = try member.requiredNumber()
            said.importance = true
        case .ttl:
            if case .string("never") = member.value {
                draft.expiry = .never
            } else {
                draft.expiry = .after(try member.requiredDuration())
            }
            said.ttl = true
        case .recall:
            draft.recall = try member.requiredInteger()
            said.recall = true
        case .remember:
            draft.remembers = try member.requiredBool()
            said.remember = true
        default: break
        }
    }

    private func applySettings(_ member: JSONValue.Member, _ key: LineKey, to draft: inout JobDraft) throws(InputError) {
        switch key {
        case .queue: draft.queue = try member.requiredString()
        case .priority: draft.priority = try member.requiredInteger()
        case .expiresIn: draft.expiresIn = try member.requiredDuration()
        case .maxAttempts: draft.maxAttempts = try member.requiredInteger()
        case .timeout: draft.timeout = try member.requiredDuration()
        case .budget: draft.budget = try member.requiredNumber()
        case .uniqueKey: draft.uniqueKey = try member.requiredString()
        case .customID: draft.customID = try member.requiredString()
        case .tags: draft.tags = try member.requiredStrings()
        case .onFinish: draft.onFinish = try member.requiredInputs()
        case .batch: draft.batch = try member.requiredString()
        case .after: draft.after = try member.requiredIDs()
        case .metadata: draft.metadata = .object(try member.requiredObject())
        case .cache: draft.cache = try member.requiredBool()
        default: break
        }
    }

    private func kind(_ member: JSONValue.Member) throws(InputError) -> JobKind {
        let name = try member.requiredString()
        guard let kind = JobKind(rawValue: name) else {
            let known = JobKind.allCases.map(\.rawValue)
            let hint = Suggestion.nearest(to: name, in: known).map { "did you mean '\($0)'?" } ?? "generate, embed or memorize"
            throw InputError("unknown kind \(InvalidText.quoted(name)) (\(hint))", exit: .badData)
        }
        return kind
    }
}

/// The keys of our own JSONL lines.
enum LineKey: String, CaseIterable {
    case kind
    case prompt
    case messages
    case system
    case input
    case text
    case model
    case maxTokens = "max_tokens"
    case temperature
    case schema
    case sample
    case queue
    case priority
    case delay
    case at
    case expiresIn = "expires_in"
    case maxAttempts = "max_attempts"
    case timeout
    case budget
    case uniqueKey = "unique_key"
    case customID = "custom_id"
    case tags
    case batch
    case after
    case metadata
    case cache
    case cacheTTL = "cache_ttl"
    case batchAPI = "batch_api"
    case deadline
    case onFinish = "on_finish"
    case namespace
    case key
    case importance
    case ttl
    case recall
    case remember
    case role

    /// What a key stands for.
    enum Meaning {
        case key(LineKey)
        /// Passed through to the model's API.
        case parameter
    }

    /// Parameters of the models' APIs (OpenAI's, Anthropic's, the local servers') that a line may hold beside our own keys.
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

    /// By name; a switch over strings would compare with one after another.
    static let meanings: [String: Meaning] = {
        var meanings: [String: Meaning] = [:]
        for name in parameters { meanings[name] = .parameter }
        for key in allCases { meanings[key.rawValue] = .key(key) }
        return meanings
    }()
}
