import AgentQueueModel

/// Reads the `usage` of OpenAI-compatible servers, which differ in what they count where.
extension OpenAIReply {
    /// Tokens, by the names of either API.
    ///
    /// OpenAI's `completion_tokens` include the model's thinking. xAI and Gemini count it beside them, and only `total_tokens` has all. A
    /// total that is greater than the rest for another reason is that of servers that count cached input beside `prompt_tokens`.
    package static func usage(_ usage: JSONValue?) -> Usage {
        func tokens(_ names: String..., in object: JSONValue?) -> Double? {
            for name in names {
                if let count = TokenCount.exact(object?[name]) { return count }
            }
            return nil
        }
        let details = usage?["prompt_tokens_details"] ?? usage?["input_tokens_details"]
        // DeepSeek and Moonshot have names of their own.
        var cached = tokens("cached_tokens", in: details) ?? tokens("prompt_cache_hit_tokens", "cached_tokens", in: usage) ?? 0
        var written = tokens("cache_write_tokens", in: details) ?? 0
        let thought = thoughtTokens(usage)
        let total = tokens("total_tokens", in: usage)
        let saidInput = tokens("prompt_tokens", "input_tokens", in: usage)
        let saidOutput = tokens("completion_tokens", "output_tokens", in: usage)
        var input = saidInput ?? max(0, (total ?? 0) - (saidOutput ?? 0))
        var output = saidOutput ?? max(0, (total ?? input) - input)
        if let total {
            let rest = total - input - output
            if rest >= 1, rest == cached + written, rest != thought {
                input += rest
            } else if rest > 0 {
                output += rest
            }
        } else if thought > output {
            output += thought
        }
        input = input.rounded()
        cached = min(input, cached.rounded())
        written = min(input - cached, written.rounded())
        return Usage(
            inputTokens: Int(input), outputTokens: Int(output.rounded()), cacheReadTokens: Int(cached), cacheWriteTokens: Int(written))
    }

    /// The tokens that the model spent on thinking, as far as they are counted.
    package static func thoughtTokens(_ usage: JSONValue?) -> Double {
        TokenCount.exact((usage?["completion_tokens_details"] ?? usage?["output_tokens_details"])?["reasoning_tokens"])
            ?? TokenCount.exact(usage?["reasoning_tokens"]) ?? 0
    }

    /// US dollars, which gateways report beside the tokens, and xAI in units of a ten-billionth.
    package static func cost(_ usage: JSONValue?) -> Double? {
        let ticks = usage?["cost_in_usd_ticks"]?.number.map { $0 / 10_000_000_000 }
        guard let cost = usage?["cost"]?.number ?? usage?["cost"]?["total_cost"]?.number ?? ticks, cost.isFinite, cost >= 0 else {
            return nil
        }
        return cost
    }
}
