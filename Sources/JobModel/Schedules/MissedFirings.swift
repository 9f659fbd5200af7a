/// What becomes of firings that were due while no worker ran.
public enum MissedFirings: String, Sendable, CaseIterable {
    /// They are not made up for.
    case skip
    /// One is made up for all of them.
    case once
    /// Each is made up for, the latest ones up to a bound.
    case all
}
