import AgentQueueModel

/// Reads good answers of servers that speak Anthropic's API.
package enum AnthropicReply {
    /// Reads a message, whether it arrived in one piece or was assembled from a stream.
    /// - Throws: `ModelFailure` (`refused`, `invalidReply`); its message is the end of a sentence.
    package static func message(_ body: JSONValue, requestID: String?) throws(ModelFailure) -> ModelReply {
        try message(body, usage: AnthropicUsage(body["usage"]).usage, requestID: requestID)
    }

    /// Reads a message.
    /// - Parameter usage: the tokens counted; the body need not have them.
    /// - Throws: `ModelFailure` (`refused`, `invalidReply`); its message is the end of a sentence.
    package static func message(_ body: JSONValue, usage: Usage, requestID: String?) throws(ModelFailure) -> ModelReply {
        let requestID = requestID ?? printable(body["id"]?.string)
        guard let blocks = blocks(body["content"]) else {
            throw ModelFailure(
                .invalidReply, "answered without any content", requestID: requestID, usage: usage, calls: 1, isMaybePaid: usage == Usage())
        }
        let text = joined("text", of: blocks)
        let stopReason = body["stop_reason"]?.string
        if stopReason == "refusal" {
            throw ModelFailure(
                .refused, refusal(body["stop_details"]), requestID: requestID, usage: usage, calls: 1,
                partialText: text.flatMap { $0.isEmpty ? nil : $0 })
        }
        let calls = try toolCalls(blocks, isCutOff: stopReason == "max_tokens", usage, requestID)
        let thinking = joined("thinking", of: blocks)
        // Without any output it was a request for no tokens, which only warms the prompt cache.
        if finishReason(stopReason, hasCalls: false) == "length", calls == nil, usage.outputTokens > 0,
            (text ?? "").allSatisfy(\.isWhitespace)
        {
            throw ModelFailure.cutOff(isThinking: thinking?.isEmpty == false, requestID: requestID, usage: usage)
        }
        return ModelReply(
            text: text ?? (calls == nil ? "" : nil), finishReason: finishReason(stopReason, hasCalls: calls != nil), usage: usage,
            model: body["model"]?.string.flatMap { $0.isEmpty ? nil : $0 }, requestID: requestID, toolCalls: calls,
            reasoning: thinking)
    }

    /// Why the answer ended, in `ModelReply`'s terms. `pause_turn`, which is not an end, and unknown reasons are kept as they are.
    package static func finishReason(_ stopReason: String?, hasCalls: Bool) -> String? {
        switch stopReason {
        case "end_turn", "stop_sequence": "stop"
        case "max_tokens", "model_context_window_exceeded": "length"
        case "tool_use": "tool_calls"
        case nil: hasCalls ? "tool_calls" : nil
        case let other?: other
        }
    }

    private static func blocks(_ content: JSONValue?) -> [JSONValue]? {
        switch content {
        case .array(let blocks): blocks
        case .string(let text): [AnthropicTranslation.textBlock(text)]
        case .null: []
        default: nil
        }
    }

    /// The texts of all blocks of a type; nil if there is none.
    private static func joined(_ type: String, of blocks: [JSONValue]) -> String? {
        let texts = blocks.filter { $0["type"]?.string == type }.compactMap { $0[type]?.string }
        return texts.isEmpty ? nil : texts.joined()
    }

    private static func refusal(_ details: JSONValue?) -> String {
        var words = "declined to answer"
        if let category = details?["category"]?.string, !category.isEmpty { words += " (\(category))" }
        if let explanation = details?["explanation"]?.string, !explanation.isEmpty { words += ": \(explanation)" }
        return words
    }

    /// Calls of the request's own tools in OpenAI's form; nil if there are none. Tools that the server ran are not included.
    private static func toolCalls(
        _ blocks: [JSONValue], isCutOff: Bool, _ usage: Usage, _ requestID: String?
    ) throws(ModelFailure) -> JSONValue? {
        var calls: [JSONValue] = []
        for block in blocks where block["type"]?.string == "tool_use" {
            let arguments: String
            switch block["input"] {
            // Left by a stream that was cut off: the beginning of JSON.
            case .string(let text) where isCutOff: arguments = text
            case .object: arguments = block["input"]?.text ?? "{}"
            case nil, .null: arguments = "{}"
            default:
                throw ModelFailure(
                    .invalidReply, "answered with a tool call whose input is no JSON object", requestID: requestID, usage: usage,
                    calls: 1)
            }
            let function: [JSONValue.Member] = [.init("name", block["name"] ?? .null), .init("arguments", .string(arguments))]
            calls.append(.object([.init("id", block["id"] ?? .null), .init("type", "function"), .init("function", .object(function))]))
        }
        return calls.isEmpty ? nil : .array(calls)
    }

    /// An id that can be printed; nil if it cannot.
    package static func printable(_ id: String?) -> String? {
        guard let id, !id.isEmpty, id.utf8.count <= 256, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return id
    }
}

/// Tokens as Anthropic counts them: those written to and read from the prompt cache are not part of the input.
package struct AnthropicUsage: Sendable, Equatable {
    private var input = 0
    private var output = 0
    private var cacheRead = 0
    private var cacheWrite = 0

    /// Starts at zero.
    package init() {}

    /// Reads a `usage`. What is missing counts as zero.
    package init(_ usage: JSONValue?) { take(usage) }

    /// Takes a later count of the same answer. Counts only grow; those that are not named stay.
    package mutating func take(_ usage: JSONValue?) {
        func tokens(_ name: String) -> Int { TokenCount.read(usage?[name]) ?? 0 }
        input = max(input, tokens("input_tokens"))
        output = max(output, tokens("output_tokens"))
        cacheRead = max(cacheRead, tokens("cache_read_input_tokens"))
        cacheWrite = max(cacheWrite, tokens("cache_creation_input_tokens"))
    }

    /// The same as `Usage`, where the input includes everything.
    package var usage: Usage {
        Usage(
            inputTokens: input + cacheRead + cacheWrite, outputTokens: output, cacheReadTokens: cacheRead, cacheWriteTokens: cacheWrite)
    }
}
