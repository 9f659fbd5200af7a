import AgentQueueModel

/// Reads good answers of OpenAI-compatible servers, in all the forms that these servers send.
package enum OpenAIReply {
    /// Reads a chat completion.
    ///
    /// The first of several `choices` counts.
    /// - Throws: `ModelFailure` (`refused`, `invalidReply`); its message is the end of a sentence. The answer was charged.
    package static func chat(_ body: JSONValue, requestID: String?) throws(ModelFailure) -> ModelReply {
        let usage = usage(body["usage"])
        let cost = cost(body["usage"])
        func failed(_ failure: FailureClass, _ words: String, partialText: String? = nil) -> ModelFailure {
            ModelFailure(failure, words, requestID: requestID, usage: usage, cost: cost, calls: 1, partialText: partialText)
        }
        guard let choice = body["choices"]?.array?.first, case .object = choice else {
            throw failed(.invalidReply, "answered without any choice")
        }
        let message = choice["message"] ?? .null
        let text = text(message["content"]) ?? choice["text"]?.string
        let toolCalls = toolCalls(message)
        var finishReason = finishReason(choice)
        if toolCalls != nil, finishReason == nil || finishReason == "function_call" { finishReason = "tool_calls" }
        if (text ?? "").isEmpty, toolCalls == nil {
            // A refusal may quote the prompt, so it is kept out of the message.
            if let refusal = message["refusal"]?.string, !refusal.isEmpty {
                throw failed(.refused, "declined to answer", partialText: refusal)
            }
            if finishReason == "content_filter" { throw failed(.refused, "declined to answer (content_filter)") }
        }
        if finishReason == "length", toolCalls == nil, (text ?? "").allSatisfy(\.isWhitespace) {
            throw ModelFailure.cutOff(
                isThinking: reasoning(message) != nil || thoughtTokens(body["usage"]) > 0, requestID: requestID, usage: usage, cost: cost)
        }
        guard message.members != nil || text != nil else {
            throw failed(.invalidReply, "answered with a choice that holds no message")
        }
        return ModelReply(
            text: text ?? (toolCalls == nil ? "" : nil), finishReason: finishReason, usage: usage, model: model(body),
            requestID: requestID ?? body["id"]?.string, toolCalls: toolCalls, reasoning: reasoning(message), cost: cost)
    }

    /// Reads embeddings, one per input, in the inputs' order.
    /// - Parameters:
    ///   - count: how many inputs there were; nil if not known.
    ///   - dimensions: the length that each must have, if the request set one.
    /// - Throws: `ModelFailure` (`invalidReply`); its message is the end of a sentence. The answer was charged.
    package static func embeddings(_ body: JSONValue, count: Int?, dimensions: Int?, requestID: String?) throws(ModelFailure) -> ModelReply
    {
        let usage = usage(body["usage"])
        let cost = cost(body["usage"])
        func invalid(_ words: String) -> ModelFailure {
            ModelFailure(.invalidReply, words, requestID: requestID, usage: usage, cost: cost, calls: 1)
        }
        guard let data = body["data"]?.array ?? body.array else { throw invalid("answered without any embeddings") }
        let count = count ?? max(1, data.count)
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
        return ModelReply(embeddings: vectors, usage: usage, model: model(body), requestID: requestID, cost: cost)
    }

    /// Whether an answer to an embeddings request has a text that is not a vector in base64.
    package static func holdsUnreadableText(_ body: JSONValue) -> Bool {
        (body["data"]?.array ?? body.array ?? []).contains { element in
            guard case .string(let text) = element["embedding"] ?? element else { return false }
            return vector(base64: text) == nil
        }
    }

    /// Content as text, or the text of its parts.
    package static func text(_ content: JSONValue?) -> String? {
        switch content {
        case .string(let text): text
        case .array(let parts): parts.compactMap { $0.string ?? $0["text"]?.string }.joined()
        default: nil
        }
    }

    /// Why a choice ended; nil if it has not. Servers write an empty text, or the name of their language's null, in chunks that end nothing.
    package static func finishReason(_ choice: JSONValue) -> String? {
        guard let reason = choice["finish_reason"]?.string, !["", "null", "none"].contains(reason.lowercased()) else { return nil }
        return reason
    }

    /// The model's thinking, by either of the names in use; nil if there is none.
    package static func reasoning(_ message: JSONValue) -> String? {
        for name in ["reasoning_content", "reasoning"] {
            if let thought = text(message[name]), !thought.isEmpty { return thought }
        }
        return nil
    }

    /// Verbatim. A `function_call` of the older API becomes a list of one.
    private static func toolCalls(_ message: JSONValue) -> JSONValue? {
        if let calls = message["tool_calls"], calls.array?.isEmpty == false { return calls }
        guard let call = message["function_call"], call.members?.isEmpty == false else { return nil }
        return .array([.object([.init("type", "function"), .init("function", call)])])
    }

    private static func model(_ body: JSONValue) -> String? {
        guard let model = body["model"]?.string, !model.isEmpty else { return nil }
        return model
    }

    /// A vector as a list, as a list with one list in it (a pooled form), or as base64 of little-endian float32.
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
        let vector = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))) }
        }
        return vector.allSatisfy(\.isFinite) ? vector : nil
    }
}
