import AgentQueueModel

/// Assembles a chat completion from its chunks.
package struct ChatStream: EventAssembler {
    package private(set) var usage: JSONValue?
    package private(set) var unreadable: UnreadableEvent?
    private var reader = EventReader()
    private var content = JoinedText()
    private var reasoning = JoinedText()
    private var refusal = JoinedText()
    private var toolCalls = ToolCallDeltas()
    private var functionCall = ToolCallDeltas()
    private var finishReason: String?
    private var model: JSONValue?
    private var id: JSONValue?
    private var choiceError: JSONValue?
    private var error: JSONValue?
    private var hasChoice = false
    private var isDone = false
    private var hasToldBegin = false
    private var hasToldEnd = false
    /// What the canonical form leaves out; nil if it is not to be kept.
    private var extras: ChatExtras?

    /// - Parameter keepsNative: whether ``nativeBody`` is wanted.
    package init(keepsNative: Bool = false) {
        if keepsNative { extras = ChatExtras() }
    }

    package var text: String { content.text }

    package mutating func take(_ event: ServerSentEvent) -> [ReplyEvent] {
        guard unreadable == nil else { return [] }
        var events: [ReplyEvent] = []
        do throws(UnreadableEvent) {
            for content in try reader.read(event) { take(content, isError: event.name == "error", &events) }
        } catch {
            // After the answer's end nothing of it can be lost.
            if finishReason == nil, !isDone, self.error == nil { unreadable = error }
        }
        return events
    }

    private mutating func take(_ content: EventReader.Content, isError: Bool, _ events: inout [ReplyEvent]) {
        guard error == nil, !isDone else { return }
        guard case .json(let piece) = content else {
            isDone = true
            // Some servers never say why an answer ends.
            if hasBegun, !hasToldEnd { events.append(.finish(toolCalls.json == nil ? "stop" : "tool_calls")) }
            return
        }
        let chunk = piece.value
        if isError || OpenAIError(body: chunk) != nil {
            // Gateways send a choice with the error, which must not hide it.
            if let inner = chunk["error"], OpenAIError(body: ["error": inner]) != nil {
                error = ["error": inner]
            } else {
                error = OpenAIError(body: chunk) == nil ? ["error": true] : chunk
            }
            return
        }
        model = chunk["model"] ?? model
        id = chunk["id"] ?? id
        if !hasToldBegin {
            hasToldBegin = true
            events.append(.begin(model: model?.string, id: id?.string, native: nil))
        }
        let choice = Self.choice(in: chunk)
        extras?.take(chunk, choice)
        // Moonshot counts in the choice, Groq in a member of its own.
        let counts = [chunk["usage"], choice?["usage"], chunk["x_groq"]?["usage"]]
        if let count = counts.compactMap(\.self).first(where: { $0.members?.isEmpty == false }) {
            usage = count
            events.append(.usage(OpenAIReply.usage(count)))
        }
        guard let choice, let unjoined = Self.choice(in: piece.unjoined) else { return }
        hasChoice = true
        finishReason = OpenAIReply.finishReason(choice) ?? finishReason
        if let error = choice["error"], !error.isNull { choiceError = error }
        take(delta: unjoined, hasHalves: piece.hasHalves, &events)
        if let finishReason, !hasToldEnd {
            hasToldEnd = true
            events.append(.finish(finishReason == "function_call" ? "tool_calls" : finishReason))
        }
    }

    /// The first of several choices counts.
    private static func choice(in chunk: JSONValue) -> JSONValue? {
        chunk["choices"]?.array?.first { ($0["index"]?.int ?? 0) == 0 }
    }

    private mutating func take(delta choice: JSONValue, hasHalves: Bool, _ events: inout [ReplyEvent]) {
        guard let delta = choice["delta"] ?? choice["message"] ?? choice["text"].map({ ["content": $0] }) else { return }
        let thought = reasoning.append(OpenAIReply.reasoning(delta) ?? "", hasHalves: hasHalves)
        if !thought.isEmpty { events.append(.reasoning(thought)) }
        let text = content.append(OpenAIReply.text(delta["content"]) ?? "", hasHalves: hasHalves)
        if !text.isEmpty { events.append(.text(text)) }
        let refused = refusal.append(delta["refusal"]?.string ?? "", hasHalves: hasHalves)
        if !refused.isEmpty { events.append(.refusal(refused)) }
        for call in delta["tool_calls"]?.array ?? [] { toolCalls.take(call, hasHalves: hasHalves, &events) }
        if let call = delta["function_call"], call.members?.isEmpty == false {
            functionCall.take(["index": 0, "function": call], hasHalves: hasHalves, &events)
        }
    }

    package var hasFailed: Bool { error != nil || choiceError != nil }

    package var nativeBody: JSONValue? {
        guard let extras, !hasFailed, hasChoice, let body else { return nil }
        return extras.completion(body)
    }

    package var hasBegun: Bool {
        !content.isEmpty || !reasoning.isEmpty || !refusal.isEmpty || toolCalls.json != nil || functionCall.json != nil
    }

    package var body: JSONValue? {
        if let error { return error }
        // The end alone, without a word or a reason, is no answer.
        guard unreadable == nil, isDone && hasBegun || finishReason != nil || choiceError != nil else { return nil }
        var members: [JSONValue.Member] = []
        if let id { members.append(.init("id", id)) }
        if let model { members.append(.init("model", model)) }
        if hasChoice { members.append(.init("choices", [choice])) }
        if let usage { members.append(.init("usage", usage)) }
        return .object(members)
    }

    private var choice: JSONValue {
        var message: [JSONValue.Member] = [.init("content", text.isEmpty ? .null : .string(text))]
        if !reasoning.isEmpty { message.append(.init("reasoning", .string(reasoning.text))) }
        if !refusal.isEmpty { message.append(.init("refusal", .string(refusal.text))) }
        if let calls = toolCalls.json { message.append(.init("tool_calls", calls)) }
        if let call = functionCall.json?.array?.first?["function"] { message.append(.init("function_call", call)) }
        var members: [JSONValue.Member] = [.init("message", .object(message))]
        if let finishReason { members.append(.init("finish_reason", .string(finishReason))) }
        if let choiceError { members.append(.init("error", choiceError)) }
        return .object(members)
    }
}
