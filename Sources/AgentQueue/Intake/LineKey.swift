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
