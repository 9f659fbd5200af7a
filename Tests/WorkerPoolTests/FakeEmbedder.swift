import JobModel
import ModelCalls
import Synchronization

/// An embedding model whose vectors a test chooses by text.
final class FakeEmbedder: ModelProvider {
    let name = "fake"
    let identity = "fake"
    let capabilities = ProviderCapabilities()
    private let answer: @Sendable (String) -> Outcome
    private let asked = Mutex<[String]>([])

    /// The texts it was asked to embed, in their order.
    var texts: [String] { asked.withLock { $0 } }

    init(_ answer: @escaping @Sendable (String) -> Outcome) { self.answer = answer }

    convenience init(vectors: [String: [Float]]) {
        self.init { text in
            .reply(ModelReply(embeddings: [vectors[text] ?? [0, 0, 1]], usage: Usage(inputTokens: text.utf8.count)))
        }
    }

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        requests.map { request in
            let text = request.body["input"]?.array?.first?.string ?? ""
            asked.withLock { $0.append(text) }
            return answer(text)
        }
    }

    func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? name) }
}
