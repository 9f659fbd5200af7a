import ModelCalls

extension Outcome {
    /// Without the server's id for the call where it holds a secret: a proxy may write back what it was sent, in any header.
    func withoutSecrets(_ secrets: [String]) -> Outcome {
        func isClean(_ id: String) -> Bool { !secrets.contains { $0.utf8.count >= 4 && id.contains($0) } }
        switch self {
        case .reply(var reply):
            reply.requestID = reply.requestID.flatMap { isClean($0) ? $0 : nil }
            return .reply(reply)
        case .failure(var failure):
            failure.requestID = failure.requestID.flatMap { isClean($0) ? $0 : nil }
            return .failure(failure)
        }
    }
}
