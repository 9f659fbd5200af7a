/// A registered worker process.
public struct WorkerSummary: Sendable, Equatable {
    /// Its number, never used again; also its byte in the lock file.
    public var id: Int64
    /// Its process id.
    public var pid: Int64
    /// The boot its leases count from.
    public var bootID: String
    /// Wall clock, ms.
    public var startedAt: Int64
    /// Jobs under its leases.
    public var running: Int
}
