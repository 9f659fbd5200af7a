import Crypto
import JobModel

/// What the cache by nearness of meaning compares.
extension ModelRequest {
    /// The text of the last message, whose meaning is compared, and the digest of all the rest, which must be the same: target, who
    /// answers, system prompt, earlier messages, parameters and schema.
    ///
    /// Nil where nearness says nothing about the answer: for what is no `generate`, where the last message is not a user's plain text,
    /// where that is blank, and for requests with tools, whose answers act.
    /// - Parameter identity: who answers: the provider's kind and base URL.
    public func semanticParts(identity: String) -> (context: [UInt8], text: String)? {
        guard kind == .generate, let members = body.members, let messages = body["messages"]?.array, let last = messages.last,
            last["role"]?.string == "user", let text = last["content"]?.string, text.contains(where: { !$0.isWhitespace }),
            !members.contains(where: { Self.toolMembers.contains($0.key) })
        else { return nil }
        let asked = (last.members ?? []).map { $0.key == "content" ? JSONValue.Member("content", .null) : $0 }
        let rest = members.filter { !Self.ignoredByDigest.contains($0.key) }.map { member in
            member.key == "messages" ? JSONValue.Member("messages", .array(messages.dropLast() + [.object(asked)])) : member
        }
        var hash = SHA256()
        for part in ["agent-queue/semantic/1", kind.rawValue, target.description, identity] {
            hash.update(data: Array(part.utf8))
            hash.update(data: [0])
        }
        hash.update(data: JSONValue.object(rest).utf8(sorted: true))
        return (Array(hash.finalize()), text)
    }

    private static let toolMembers: Set<String> = ["tools", "tool_choice", "functions", "function_call"]
}
