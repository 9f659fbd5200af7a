import CPlatform
import ModelCalls
import Synchronization

/// Answers at once, and notes when it was called: what is left of a job's life is the queue's own.
final class InstantProvider: ModelProvider {
    let name = "instant"
    let identity = "instant"
    let capabilities = ProviderCapabilities()
    private let printsStarts: Bool
    private let reply = ModelReply(text: String(repeating: "r", count: 200), finishReason: "stop")

    init(printsStarts: Bool) { self.printsStarts = printsStarts }

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        if printsStarts { Figures.line("S \(options.idempotencyKey.split(separator: "-")[1]) \(platform_monotonic_ns())") }
        return requests.map { _ in .reply(reply) }
    }

    func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? name) }
}
