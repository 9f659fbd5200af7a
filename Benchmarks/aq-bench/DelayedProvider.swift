import ModelCalls

/// Answers after a while.
final class DelayedProvider: ModelProvider {
    let name = "instant"
    let identity = "instant"
    let capabilities = ProviderCapabilities()
    private let delay: Duration
    private let reply = ModelReply(text: String(repeating: "r", count: 200), finishReason: "stop")

    init(_ delay: Duration) { self.delay = delay }

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        if delay > .zero { try? await Task.sleep(for: delay) }
        return requests.map { _ in .reply(reply) }
    }

    func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? name) }
}
