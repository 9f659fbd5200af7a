import ModelCalls
import Synchronization

/// Answers nothing until it is told to, and then everything at once.
final class HeldProvider: ModelProvider {
    let name = "instant"
    let identity = "instant"
    let capabilities = ProviderCapabilities()
    private let released: AsyncStream<Void>
    private let release: AsyncStream<Void>.Continuation
    private let reply = ModelReply(text: String(repeating: "r", count: 200), finishReason: "stop")

    init() { (released, release) = AsyncStream.makeStream() }

    /// Answers all there is, and whatever comes.
    func answer() { release.finish() }

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        for await _ in released {}
        return requests.map { _ in .reply(reply) }
    }

    func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? name) }
}
