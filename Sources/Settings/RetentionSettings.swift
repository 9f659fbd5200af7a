/// `retention:` — how long finished jobs stay before `prune` removes them. Each 0 to 36500 days; 0 removes at the next prune.
public struct RetentionSettings: Equatable, Sendable {
    /// Jobs that were answered. Default 7 days.
    public var completed: Duration = .seconds(7 * 86_400)
    /// Jobs that were cancelled. Default 7 days.
    public var cancelled: Duration = .seconds(7 * 86_400)
    /// Jobs that failed for good. Default 30 days.
    public var discarded: Duration = .seconds(30 * 86_400)

    /// Every value at its default.
    public init() {}
}
