import JobModel
import Synchronization

/// The schema that was found good last: lines of one file mostly share one, and compiling it takes longer than all else about a line.
final class SchemaMemory: Sendable {
    private let last = Mutex<JSONValue?>(Optional.none)

    /// Whether this is the one.
    func holds(_ schema: JSONValue) -> Bool { last.withLock { $0 } == schema }

    func keep(_ schema: JSONValue) { last.withLock { $0 = schema } }
}
