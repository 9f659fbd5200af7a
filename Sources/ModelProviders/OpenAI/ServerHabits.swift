import Synchronization

/// What a server was found to want, so that it has to refuse it only once. Kept for the life of the process.
final class ServerHabits: Sendable {
    private struct State {
        var chatForms: [String: ChatForm] = [:]
        var floatModels: Set<String> = []
    }

    private let state = Mutex(State())
    /// How many models are kept in mind; a server of more is asked anew.
    private static let maxModels = 10_000

    /// How a model is to be sent chats.
    func chatForm(of model: String) -> ChatForm? {
        state.withLock { $0.chatForms[model] }
    }

    /// Notes how a model is to be sent chats.
    func remember(_ form: ChatForm, for model: String) {
        state.withLock { state in
            if state.chatForms.count >= Self.maxModels { state.chatForms.removeAll() }
            state.chatForms[model] = form
        }
    }

    /// In which form a model's vectors are to be asked for.
    func embeddingFormat(of model: String) -> EmbeddingFormat {
        state.withLock { $0.floatModels.contains(model) ? .float : .base64 }
    }

    /// Notes that a model's vectors come as lists of numbers only.
    func rememberFloat(for model: String) {
        state.withLock { state in
            if state.floatModels.count >= Self.maxModels { state.floatModels.removeAll() }
            state.floatModels.insert(model)
        }
    }
}
