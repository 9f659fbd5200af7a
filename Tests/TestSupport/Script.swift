/// What a ``ScriptedServer`` answers: a function of each request, so that a test can script by path, by content or by turn.
public struct Script: Sendable {
    let answer: @Sendable (RecordedRequest) -> ScriptedAnswer

    /// Answers each request as the function says.
    public init(_ answer: @escaping @Sendable (RecordedRequest) -> ScriptedAnswer) {
        self.answer = answer
    }

    /// The same answer always.
    public static func always(_ answer: ScriptedAnswer) -> Script { Script { _ in answer } }

    /// These answers one after another, and the last of them from then on; for requests that come one at a time.
    public static func inTurn(_ answers: ScriptedAnswer...) -> Script {
        let turn = Counter()
        return Script { _ in
            turn.add()
            return answers[min(turn.count, answers.count) - 1]
        }
    }
}
