import JobModel
import ModelCalls

extension ClaudeCodeProvider {
    /// What is asked where nobody names a model: the alias of the cheapest.
    private static let checkedModel = "haiku"
    /// Enough for a word. An answer that is cut there shows as much.
    private static let checkedTokens: Int64 = 64

    /// Finds out whether the program runs, is signed in, and its model answers, with one tiny real call.
    public func check(model: String?, timeout: Int64) async -> ProviderCheck {
        let start = ContinuousClock.now
        let model = model ?? Self.checkedModel
        var result = ProviderCheck(provider: name, model: model)
        let request = ModelRequest(
            kind: .generate, target: Target(provider: name, model: model),
            body: ["messages": [["role": "user", "content": "Say OK."]], "max_tokens": .integer(Self.checkedTokens)])
        if case .failure(let failure) = await respond(to: request, CallOptions(timeout: timeout)), !Self.showsLife(failure) {
            result.failure = failure
        }
        result.milliseconds = Int64((ContinuousClock.now - start) / .milliseconds(1))
        return result
    }

    /// A model that thought for too long to say a word, or declined to, did answer.
    private static func showsLife(_ failure: ModelFailure) -> Bool {
        failure.calls > 0 && (failure.failure == .invalidReply || failure.failure == .refused)
    }
}
