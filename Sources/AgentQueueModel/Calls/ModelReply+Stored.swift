extension ModelReply {
    /// A stored reply, the inverse of ``json``.
    /// - Parameter usage: the tokens, of which a stored reply has only those of the prompt cache.
    package init(stored json: JSONValue, usage: Usage = Usage()) {
        self.init(
            text: json["text"]?.string, embeddings: json["embeddings"]?.array?.map { ($0.array ?? []).map { Float($0.number ?? 0) } },
            finishReason: json["finish_reason"]?.string, usage: usage, model: json["model"]?.string,
            requestID: json["request_id"]?.string, toolCalls: json["tool_calls"], reasoning: json["reasoning"]?.string,
            calls: json["calls"]?.int ?? 1)
        self.usage.cacheReadTokens = json["cache_read_tokens"]?.int ?? 0
        self.usage.cacheWriteTokens = json["cache_write_tokens"]?.int ?? 0
        native = json[NativeReply.member].flatMap(NativeReply.init(stored:))
    }

    /// The answer of a stored result.
    package init(_ result: JobResult) {
        self.init(stored: result.reply, usage: result.usage)
        cost = result.cost
        native = result.native ?? native
    }
}
