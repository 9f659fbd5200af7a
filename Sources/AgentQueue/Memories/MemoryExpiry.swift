/// How long a memory is kept.
public enum MemoryExpiry: Sendable, Equatable {
    /// As long as its namespace says, or else `memory.retention`.
    case usual
    /// So long from when it is stored, in ms, at least 1.
    case after(Int64)
    /// Until then (wall clock, ms).
    case at(Int64)
    /// For ever.
    case never
}
