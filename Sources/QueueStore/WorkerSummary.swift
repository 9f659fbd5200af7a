/// A registered worker process.
public struct WorkerSummary: Sendable, Equatable {
    public var id: Int64
    public var pid: Int64
    /// The boot its leases count from.
    public var bootID: String
    /// Wall clock, ms.
    public var startedAt: Int64
    /// Jobs under its leases.
    public var running: Int
}
