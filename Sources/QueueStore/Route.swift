import JobModel

/// What a lane's jobs are sent to: its own target, and those that serve in its place.
public struct Route: Sendable, Equatable {
    /// In the order in which they are tried; only those whose provider this worker can call. The lane's own target may be missing.
    public var targets: [Target]
    /// How long to wait for a target that is only busy before the next is asked, in ms; nil waits as long as it takes. One that
    /// fails, or refuses the key, is not waited for.
    public var fallbackAfter: Int64?

    /// Makes a route.
    public init(targets: [Target], fallbackAfter: Int64? = nil) {
        self.targets = targets
        self.fallbackAfter = fallbackAfter
    }
}
