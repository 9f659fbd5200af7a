import Synchronization

/// A value that tasks and closures share, such as what a call leaves for the one who waits for its task.
package final class LockedValue<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    /// Makes one.
    package init(_ value: Value) { stored = Mutex(value) }

    /// What it holds; setting it replaces all.
    package var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    /// Reads and changes it in one step.
    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        stored.withLock { value in body(&value) }
    }
}
