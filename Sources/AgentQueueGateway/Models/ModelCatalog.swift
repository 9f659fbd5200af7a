import AgentQueueDialects
import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueStore
import HTTPTypes
import Synchronization

/// The models that clients may name: those of the configuration, and those that providers list.
///
/// Providers are asked in the background, so that no client waits for one that does not answer. What is not known yet is left out.
final class ModelCatalog: Sendable {
    private struct State {
        var listed: [String: [String]] = [:]
        var askedAt: ContinuousClock.Instant?
        var hasAnswers = false
        var waiters: [AsyncStream<Void>.Continuation] = []
    }

    /// A name that clients may use, and what it stands for.
    private struct Entry {
        let name: String
        let target: String

        var listed: ListedModel { ListedModel(id: name, created: 0, owner: String(target.prefix { $0 != "/" })) }
    }

    /// How long a provider's list counts as current.
    private static let age: Duration = .seconds(300)
    /// In milliseconds.
    private static let timeout: Int64 = 2_000
    /// How long a client waits for the first answers.
    private static let patience: Duration = .milliseconds(40)

    private let configured: [Entry]
    private let aliases: [ModelAlias]
    private let providers: [any ModelProvider]
    private let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    /// - Parameter providers: those that can be called.
    init(_ settings: Settings, providers: [any ModelProvider]) {
        self.providers = providers
        aliases = settings.serve.models
        let names = Set(providers.map(\.name))
        var configured = settings.serve.models.filter { !$0.pattern.text.contains("*") }
            .map { Entry(name: $0.pattern.text, target: $0.target) }
        let targets = settings.models.keys.filter { names.contains(String($0.prefix { $0 != "/" })) }.sorted()
        for target in [settings.defaultModel] + targets where !configured.contains(where: { $0.name == target }) {
            configured.append(Entry(name: target, target: target))
        }
        self.configured = configured
        (requests, request) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var routes: [Route] {
        [
            Route(.get, "/v1/models", scope: .call) { [self] exchange in
                let models = await models(for: exchange.head.caller)
                let list =
                    switch exchange.head.flavour {
                    case .openAI: ModelList.openAI(models)
                    case .anthropic: try ModelList.anthropic(models, page: ModelPage(query: exchange.head.query))
                    }
                try await exchange.response.send(200, .json, body: list.utf8(sorted: false))
            },
            Route(.get, "/v1/models/{id...}", scope: .call) { [self] exchange in
                let id = exchange.head.parameters["id"] ?? ""
                guard let model = await model(id, for: exchange.head.caller) else {
                    throw GatewayError(
                        .modelNotFound, "There is no model \(InvalidText.quoted(id)) here: GET /v1/models lists them.", param: "model")
                }
                try await exchange.response.send(200, .json, body: model.json(exchange.head.flavour).utf8(sorted: false))
            },
        ]
    }

    /// The models that each provider lists, as far as they are known now.
    func listed() -> [String: [String]] {
        refresh()
        return state.withLock(\.listed)
    }

    /// Asks providers whenever someone wants their lists and these are old, until the task is cancelled.
    func run() async {
        for await _ in requests where !isFresh { await ask() }
    }

    private var isFresh: Bool { state.withLock { $0.askedAt.map { $0.duration(to: .now) < Self.age } ?? false } }

    private func refresh() {
        if !isFresh { request.yield() }
    }

    private func ask() async {
        state.withLock { $0.askedAt = .now }
        let answers = await withTaskGroup(of: (String, [String]?).self) { group in
            for provider in providers { group.addTask { (provider.name, await Self.models(of: provider)) } }
            return await group.reduce(into: [String: [String]]()) { found, answer in
                if let models = answer.1 { found[answer.0] = models }
            }
        }
        let waiters = state.withLock { state in
            // What a provider listed before stays while it does not answer.
            state.listed.merge(answers) { $1 }
            state.hasAnswers = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.finish() }
    }

    /// Nil if the provider lists none, or does not answer.
    private static func models(of provider: any ModelProvider) async -> [String]? {
        switch provider {
        case let provider as OpenAIProvider: try? await provider.models(timeout: timeout).get()
        case let provider as AnthropicProvider: try? await provider.models(timeout: timeout).get()
        default: nil
        }
    }

    /// The model of a name, which a pattern of the configuration may stand for without listing it.
    private func model(_ id: String, for caller: Caller) async -> ListedModel? {
        if let model = await models(for: caller).first(where: { $0.id == id }) { return model }
        guard let alias = aliases.first(where: { $0.pattern.matches(id) }), caller.mayUse(alias.target) else { return nil }
        return Entry(name: id, target: alias.target).listed
    }

    private func models(for caller: Caller) async -> [ListedModel] {
        refresh()
        await firstAnswers()
        var entries = configured
        var known = Set(entries.map(\.name))
        for (provider, names) in state.withLock(\.listed).sorted(by: { $0.key < $1.key }) {
            for target in names.sorted().map({ "\(provider)/\($0)" }) where known.insert(target).inserted {
                entries.append(Entry(name: target, target: target))
            }
        }
        return entries.filter { caller.mayUse($0.target) }.map(\.listed)
    }

    /// Waits a moment for the first answers of providers.
    private func firstAnswers() async {
        let (answers, waiter) = AsyncStream.makeStream(of: Void.self)
        let isKnown = state.withLock { state in
            if !state.hasAnswers { state.waiters.append(waiter) }
            return state.hasAnswers
        }
        guard !isKnown else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in answers {} }
            // Cancellation means that the answers were faster.
            group.addTask { try? await Task.sleep(for: Self.patience) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension Caller {
    /// Whether the key allows a target, `provider/model`.
    func mayUse(_ target: String) -> Bool {
        guard let targets else { return true }
        // A pattern that cannot be read allows nothing.
        return targets.contains { (try? NamePattern($0))?.matches(target) ?? false }
    }
}
