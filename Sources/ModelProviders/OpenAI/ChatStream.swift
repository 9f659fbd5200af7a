import JobModel

/// Puts a chat completion together from its chunks.
struct ChatStream: EventAssembler {
    private(set) var text = ""
    private(set) var usage: JSONValue?
    private var reasoning = ""
    private var refusal = ""
    private var toolCalls = ToolCallDeltas()
    private var functionCall = ToolCallDeltas()
    private var finishReason: String?
    private var model: JSONValue?
    private var id: JSONValue?
    private var choiceError: JSONValue?
    private var error: JSONValue?
    private var hasChoice = false
    private var isDone = false

    mutating func take(_ event: ServerSentEvent) -> String {
        guard error == nil, !isDone else { return "" }
        if event.data.drop(while: \.isWhitespace).hasPrefix("[DONE]") {
            isDone = true
            return ""
        }
        // What cannot be read is passed over: the answer shows by its end whether it is whole.
        guard let chunk = try? JSONValue.parse(event.data) else { return "" }
        if event.name == "error" || OpenAIError(body: chunk) != nil {
            // Hubs send a choice beside it, which must not hide it.
            if let inner = chunk["error"], OpenAIError(body: ["error": inner]) != nil {
                error = ["error": inner]
            } else {
                error = OpenAIError(body: chunk) == nil ? ["error": true] : chunk
            }
            return ""
        }
        model = chunk["model"] ?? model
        id = chunk["id"] ?? id
        if let counted = chunk["usage"], !counted.isNull { usage = counted }
        guard let choice = chunk["choices"]?.array?.first(where: { ($0["index"]?.int ?? 0) == 0 }) else { return "" }
        return take(choice: choice)
    }

    private mutating func take(choice: JSONValue) -> String {
        hasChoice = true
        if let reason = choice["finish_reason"]?.string { finishReason = reason }
        if let error = choice["error"], !error.isNull { choiceError = error }
        guard let delta = choice["delta"] ?? choice["message"] ?? choice["text"].map({ ["content": $0] }) else { return "" }
        reasoning += OpenAIReply.reasoning(delta) ?? ""
        refusal += delta["refusal"]?.string ?? ""
        for call in delta["tool_calls"]?.array ?? [] { toolCalls.take(call) }
        if let call = delta["function_call"], call.members?.isEmpty == false {
            functionCall.take(["index": 0, "function": call])
        }
        let added = OpenAIReply.text(delta["content"]) ?? ""
        text += added
        return added
    }

    var hasBegun: Bool {
        !text.isEmpty || !reasoning.isEmpty || !refusal.isEmpty || toolCalls.json != nil || functionCall.json != nil
    }

    var body: JSONValue? {
        if let error { return error }
        guard isDone || finishReason != nil || choiceError != nil else { return nil }
        var members: [JSONValue.Member] = []
        if let id { members.append(.init("id", id)) }
        if let model { members.append(.init("model", model)) }
        if hasChoice { members.append(.init("choices", [choice])) }
        if let usage { members.append(.init("usage", usage)) }
        return .object(members)
    }

    private var choice: JSONValue {
        var message: [JSONValue.Member] = [.init("content", text.isEmpty ? .null : .string(text))]
        if !reasoning.isEmpty { message.append(.init("reasoning", .string(reasoning))) }
        if !refusal.isEmpty { message.append(.init("refusal", .string(refusal))) }
        if let calls = toolCalls.json { message.append(.init("tool_calls", calls)) }
        if let call = functionCall.json?.array?.first?["function"] { message.append(.init("function_call", call)) }
        var members: [JSONValue.Member] = [.init("message", .object(message))]
        if let finishReason { members.append(.init("finish_reason", .string(finishReason))) }
        if let choiceError { members.append(.init("error", choiceError)) }
        return .object(members)
    }
}
