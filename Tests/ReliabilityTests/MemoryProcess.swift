import Foundation

/// What a ``MemoryChild`` is told by its environment.
enum MemoryProcess {
    static let databaseName = "AGENT_QUEUE_TEST_MEMORIES"
    static let startName = "AGENT_QUEUE_TEST_START"

    /// The namespace of all these tests.
    static let namespace = "shared"

    /// The database; nil in a process that is no such child.
    static var database: String? { ProcessInfo.processInfo.environment[databaseName] }
    /// The number of its first batch.
    static var start: Int { ProcessInfo.processInfo.environment[startName].flatMap { Int($0) } ?? 0 }
}
