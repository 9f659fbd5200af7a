import AgentQueueModel
import CAgentQueue
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
