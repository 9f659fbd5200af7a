import AgentQueueModel

/// Translates the body of a request to OpenAI's completions, the API before chats.
package enum CompletionTranslation {
    /// A completion as a chat: the prompt becomes the user's message.
    package static func chat(_ body: [JSONValue.Member]) throws(RequestError) -> [JSONValue.Member] {
        var chat: [JSONValue.Member] = []
        for member in body {
            switch member.key {
            case "prompt":
                guard let text = member.value.string else {
                    throw RequestError("prompt must be a string: put several prompts, each as a text, on lines of their own")
                }
                chat.append(.init("messages", [["role": "user", "content": .string(text)]]))
            case "echo" where member.value == false, "best_of" where member.value == 1, "suffix" where member.value == "": break
            case "echo", "best_of", "suffix", "logprobs":
                throw RequestError("\(member.key) of a completion has no counterpart in a chat: take it out")
            default: chat.append(member)
            }
        }
        guard chat.contains(where: { $0.key == "messages" }) else { throw RequestError("the body needs a prompt") }
        return chat
    }
}
