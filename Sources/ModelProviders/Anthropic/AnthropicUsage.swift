import JobModel

/// Tokens in Anthropic's count: what went through the prompt cache stands beside the rest of the input.
struct AnthropicUsage: Sendable, Equatable {
    private var input = 0
    private var output = 0
    private var cacheRead = 0
    private var cacheWrite = 0

    /// Nothing counted yet.
    init() {}

    /// Reads a `usage`; what is missing counts nothing.
    init(_ usage: JSONValue?) { take(usage) }

    /// Takes a later count of the same answer: counts only grow, and what it does not name stays.
    mutating func take(_ usage: JSONValue?) {
        func tokens(_ name: String) -> Int { min(max(0, usage?[name]?.int ?? 0), 1 << 40) }
        input = max(input, tokens("input_tokens"))
        output = max(output, tokens("output_tokens"))
        cacheRead = max(cacheRead, tokens("cache_read_input_tokens"))
        cacheWrite = max(cacheWrite, tokens("cache_creation_input_tokens"))
    }

    /// The same in our words, in which the input holds all of it.
    var usage: Usage {
        Usage(
            inputTokens: input + cacheRead + cacheWrite, outputTokens: output, cacheReadTokens: cacheRead, cacheWriteTokens: cacheWrite)
    }
}
