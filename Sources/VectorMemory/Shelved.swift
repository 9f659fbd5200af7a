import Synchronization

/// An index that a ``Shelf`` keeps. One search at a time: who reads or changes it does so inside ``exclusively(_:)``.
protocol Shelved: AnyObject, Sendable {
    /// Whose turn it is.
    var turn: Turn { get }
    /// What it takes in memory, in bytes; asked by whose turn it is.
    var size: Int { get }
}

extension Shelved {
    /// What it takes in memory, as of its last use.
    var bytes: Int { turn.bytes }

    /// Carries out what nobody else does at the time.
    func exclusively<Value: Sendable>(_ body: () throws -> Value) rethrows -> Value {
        try turn.take {
            defer { turn.note(bytes: size) }
            return try body()
        }
    }
}

/// A lock that tells how large its holder left what it guards.
final class Turn: Sendable {
    private let lock = Mutex(())
    private let size = Mutex(0)

    /// What was noted last.
    var bytes: Int { size.withLock { $0 } }

    /// Notes how large it is.
    func note(bytes: Int) { size.withLock { $0 = bytes } }

    /// Carries out what nobody else does at the time.
    func take<Value: Sendable>(_ body: () throws -> Value) rethrows -> Value { try lock.withLock { _ in try body() } }
}
