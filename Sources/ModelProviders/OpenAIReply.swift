import JobModel
import ModelCalls

/// Reads good answers of OpenAI-compatible servers, in all the shapes that protocols.md 5 lists.
enum OpenAIReply {
    /// Reads a chat completion.
    ///
    /// Of several `choices` the first counts. Thinking text is left out.
    /// - Throws: `ModelFailure` (`refused`, `invalidReply`), its message the end of a sentence.
    static func chat(_ body: JSONValue, requestID: String?) throws(ModelFailure) -> ModelReply {
        guard let choice = body["choices"]?.array?.first, case .object = choice else {
            throw ModelFailure(.invalidReply, "answered without any choice", requestID: requestID)
        }
        let message = choice["message"] ?? .null
        let text = text(message["content"]) ?? choice["text"]?.string
        let toolCalls = toolCalls(message)
        var finishReason = choice["finish_reason"]?.string
        if finishReason == nil, toolCalls != nil { finishReason = "tool_calls" }
        if (text ?? "").isEmpty, toolCalls == nil {
            let refusal = message["refusal"]?.string ?? ""
            if !refusal.isEmpty || finishReason == "content_filter" {
                let words = refusal.isEmpty ? "declined to answer (content_filter)" : "declined: \(refusal)"
                throw ModelFailure(.refused, words, requestID: requestID)
            }
        }
        guard message.members != nil || text != nil else {
            throw ModelFailure(.invalidReply, "answered with a choice that holds no message", requestID: requestID)
        }
        return ModelReply(
            text: text ?? (toolCalls == nil ? "" : nil), finishReason: finishReason, usage: usage(body["usage"]), model: model(body),
            requestID: requestID ?? body["id"]?.string, toolCalls: toolCalls)
    }

    /// Reads embeddings, one per input, in the inputs' order.
    /// - Parameters:
    ///   - count: how many inputs there were.
    ///   - dimensions: how long each must be, where the request said so.
    /// - Throws: `ModelFailure` (`invalidReply`), its message the end of a sentence.
    static func embeddings(_ body: JSONValue, count: Int, dimensions: Int?, requestID: String?) throws(ModelFailure) -> ModelReply {
        func invalid(_ words: String) -> ModelFailure { ModelFailure(.invalidReply, words, requestID: requestID) }
        guard let data = body["data"]?.array ?? body.array else { throw invalid("answered without any embeddings") }
        guard data.count == count else { throw invalid("answered with \(data.count) embeddings, not \(count)") }
        var vectors = [[Float]](repeating: [], count: count)
        var length = dimensions
        for (position, element) in data.enumerated() {
            let index = element["index"]?.int ?? position
            guard vectors.indices.contains(index), vectors[index].isEmpty else {
                throw invalid("answered with embeddings whose indexes do not fit the inputs")
            }
            guard let vector = vector(element["embedding"] ?? element) else {
                throw invalid("answered with an embedding that is no list of finite numbers")
            }
            guard length ?? vector.count == vector.count else {
                throw invalid("answered with an embedding of \(vector.count) dimensions, not \(length ?? 0)")
            }
            length = vector.count
            vectors[index] = vector
        }
        return ModelReply(embeddings: vectors, usage: usage(body["usage"]), model: model(body), requestID: requestID)
    }

    /// Content as text, or as parts of which the text ones count.
    private static func text(_ content: JSONValue?) -> String? {
        switch content {
        case .string(let text): text
        case .array(let parts): parts.compactMap { $0.string ?? $0["text"]?.string }.joined()
        default: nil
        }
    }

    /// Verbatim; a `function_call` of the older API becomes a list of one.
    private static func toolCalls(_ message: JSONValue) -> JSONValue? {
        if let calls = message["tool_calls"], calls.array?.isEmpty == false { return calls }
        guard let call = message["function_call"], call.members?.isEmpty == false else { return nil }
        return .array([.object([.init("type", "function"), .init("function", call)])])
    }

    private static func model(_ body: JSONValue) -> String? {
        guard let model = body["model"]?.string, !model.isEmpty else { return nil }
        return model
    }

    private static func usage(_ usage: JSONValue?) -> Usage {
        func tokens(_ names: String...) -> Int? {
            for name in names {
                if let count = usage?[name]?.int { return min(max(0, count), 1 << 40) }
            }
            return nil
        }
        let input = tokens("prompt_tokens", "input_tokens")
        let total = tokens("total_tokens")
        let output = tokens("completion_tokens", "output_tokens") ?? max(0, (total ?? 0) - (input ?? total ?? 0))
        return Usage(inputTokens: input ?? max(0, (total ?? 0) - output), outputTokens: output)
    }

    /// A vector as a list, as a list of one list (a pooled shape), or as base64 of little-endian float32.
    private static func vector(_ value: JSONValue) -> [Float]? {
        switch value {
        case .string(let text): return vector(base64: text)
        case .array(let elements):
            if elements.count == 1, case .array = elements[0] { return vector(elements[0]) }
            var vector: [Float] = []
            vector.reserveCapacity(elements.count)
            for element in elements {
                guard let number = element.number.map({ Float($0) }), number.isFinite else { return nil }
                vector.append(number)
            }
            return vector.isEmpty ? nil : vector
        default: return nil
        }
    }

    private static func vector(base64 text: String) -> [Float]? {
        guard let bytes = Base64.decode(text), !bytes.isEmpty, bytes.count % 4 == 0 else { return nil }
        var vector: [Float] = []
        vector.reserveCapacity(bytes.count / 4)
        for start in stride(from: 0, to: bytes.count, by: 4) {
            var pattern: UInt32 = 0
            for offset in (0..<4).reversed() { pattern = pattern << 8 | UInt32(bytes[start + offset]) }
            let number = Float(bitPattern: pattern)
            guard number.isFinite else { return nil }
            vector.append(number)
        }
        return vector
    }
}
