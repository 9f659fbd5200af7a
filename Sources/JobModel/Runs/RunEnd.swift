/// How a run ends.
public struct RunEnd: Sendable, Equatable {
    /// `completed` or `failed`.
    public var state: RunState
    /// What it brought, where it completed.
    public var output: JSONValue?
    /// Why it failed, in a sentence.
    public var reason: String?

    /// The end of a run that completed.
    public static func completed(_ output: JSONValue) -> RunEnd { RunEnd(state: .completed, output: output) }
    /// The end of a run that failed.
    public static func failed(_ reason: String) -> RunEnd { RunEnd(state: .failed, reason: reason) }

    private init(state: RunState, output: JSONValue? = nil, reason: String? = nil) {
        self.state = state
        self.output = output
        self.reason = reason
    }
}
