/// A worker process's place in the database: its number, and the shared memory where it notes its calls.
public struct WorkerRegistration: Sendable {
    /// Its number, never used again.
    public let id: Int64
    /// Where it notes which calls have begun; nil where there is no room, and every attempt counts.
    public let calls: CallRegion?
}
