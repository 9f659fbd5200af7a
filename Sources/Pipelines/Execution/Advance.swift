/// What came of asking what a run does next.
public enum Advance: Sendable, Equatable {
    /// It depends on what these calls were answered with, by path.
    case needs([String])
    /// That is what it does.
    case decided(Decision)
}
