import JobModel

/// What is put into a request on its way out, and is no part of its cache key.
extension ModelRequest {
    /// Bounds the answer, where the request does not.
    public mutating func limitOutput(to tokens: Int) {
        guard var members = body.members, !members.contains(where: { ["max_tokens", "max_completion_tokens"].contains($0.key) }) else {
            return
        }
        members.append(.init("max_tokens", .integer(Int64(tokens))))
        body = .object(members)
    }

    /// Goes on with the conversation.
    public mutating func appendMessages(_ messages: [JSONValue]) {
        guard let members = body.members else { return }
        body = .object(
            members.map { member in
                guard member.key == "messages", let earlier = member.value.array else { return member }
                return .init("messages", .array(earlier + messages))
            })
    }
}
