/// How a run stands. All but `running` are final.
public enum RunState: String, Sendable, CaseIterable {
    /// Steps of it run, or wait to.
    case running
    /// Its last step has ended well.
    case completed
    /// A step failed that it cannot do without.
    case failed
    /// Somebody cancelled it.
    case cancelled

    /// Whether nothing more happens to it, unless somebody retries it.
    public var isFinal: Bool { self != .running }
}
