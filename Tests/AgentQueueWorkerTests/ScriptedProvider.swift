import AgentQueueModel
import AgentQueueTestSupport
import Synchronization

/// A provider within the process, which says what a test wants, and keeps what it was asked.
final class ScriptedProvider: ModelProvider {
    typealias Answer = @Sendable (_ texts: [String], _ number: Int) async -> [Outcome]
    /// Given all texts of each request.
    typealias WholeAnswer = @Sendable (_ texts: [[String]], _ number: Int) async -> [Outcome]

    private struct State {
        var calls: [[[String]]] = []
        var asked: [ModelRequest] = []
        var underWay = 0
        var mostUnderWay = 0
        var cancelled = 0
    }

    let name = "local"
    let identity = "scripted"
    let capabilities: ProviderCapabilities
    private let state = Mutex(State())
    private let answer: WholeAnswer
    private let reply: (@Sendable (ModelRequest) -> Outcome)?
    /// Counts the calls that have begun.
    let begun = Counter()

    /// - Parameter answer: given the texts of a call, one a request, and the call's number, from 1; one outcome a request.
    convenience init(maxInputs: Int = 100, _ answer: @escaping Answer = { texts, _ in ScriptedProvider.vectors(texts) }) {
        self.init({ texts, number in await answer(texts.map { $0.first ?? "?" }, number) }, maxInputs)
    }

    /// - Parameter answer: given the texts of each request of a call, and the call's number, from 1; one outcome a request.
    static func whole(maxInputs: Int = 100, _ answer: @escaping WholeAnswer) -> ScriptedProvider {
        ScriptedProvider(answer, maxInputs)
    }

    /// One that also answers prompts.
    /// - Parameter reply: given a `generate` request, as it is sent.
    static func talking(
        _ answer: @escaping WholeAnswer, reply: @escaping @Sendable (ModelRequest) -> Outcome
    ) -> ScriptedProvider {
        ScriptedProvider(answer, 100, reply: reply)
    }

    private init(_ answer: @escaping WholeAnswer, _ maxInputs: Int, reply: (@Sendable (ModelRequest) -> Outcome)? = nil) {
        capabilities = ProviderCapabilities(maxEmbedInputs: maxInputs)
        self.answer = answer
        self.reply = reply
    }

    /// The first text of each request of each call, in their order.
    var calls: [[String]] { wholeCalls.map { call in call.map { $0.first ?? "?" } } }
    /// The prompts' requests, in their order.
    var asked: [ModelRequest] { state.withLock { $0.asked } }
    /// The texts of each request of each call.
    var wholeCalls: [[[String]]] { state.withLock { $0.calls } }
    /// The most calls that were ever under way at once.
    var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }
    /// How many calls were stopped.
    var cancelled: Int { state.withLock { $0.cancelled } }

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        if let reply, requests[0].kind == .generate {
            state.withLock { $0.asked += requests }
            let outcomes = requests.map(reply)
            if case .reply(let reply)? = outcomes.first, let text = reply.text, let tell = options.onEvent {
                tell(.begin(model: reply.model, id: nil, native: nil))
                tell(.text(text))
            }
            return outcomes
        }
        let texts = requests.map { ($0.body["input"]?.array ?? []).map { $0.string ?? "?" } }
        let number = state.withLock { state in
            state.calls.append(texts)
            state.underWay += 1
            state.mostUnderWay = max(state.mostUnderWay, state.underWay)
            return state.calls.count
        }
        begun.add()
        let outcomes = await answer(texts, number)
        state.withLock { state in
            state.underWay -= 1
            if Task.isCancelled { state.cancelled += 1 }
        }
        return Task.isCancelled ? texts.map { _ in .failure(ModelFailure(.cancelled, "stopped", isMaybePaid: true)) } : outcomes
    }

    func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? "e") }

    /// An answer for each text: 3 tokens a text. The first tells of the call.
    static func vectors(_ texts: [String]) -> [Outcome] {
        texts.indices.map { .reply(ModelReply(embeddings: [[Float($0) + 0.5, 1]], usage: Usage(inputTokens: 3), calls: $0 == 0 ? 1 : 0)) }
    }

    static func failures(_ texts: [String], _ failure: FailureClass, tokens: Int = 0) -> [Outcome] {
        texts.indices.map {
            .failure(
                ModelFailure(failure, "it failed", usage: Usage(inputTokens: tokens), calls: tokens > 0 && $0 == 0 ? 1 : 0))
        }
    }

    /// Answers calls without a bad text; one that holds one fails as a whole.
    static func refusing(_ bad: Set<String>, _ failure: FailureClass, tokens: Int = 0) -> Answer {
        { texts, _ in bad.isDisjoint(with: texts) ? vectors(texts) : failures(texts, failure, tokens: tokens) }
    }
}
