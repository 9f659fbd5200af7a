import Synchronization

/// A value shared between tasks and closures, such as what a call leaves for the code that waits for its task.
package final class LockedValue<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    package init(_ value: Value) { stored = Mutex(value) }

    /// The current value; setting it replaces the whole value.
    package var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    /// Reads and changes the value in one step.
    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        stored.withLock { value in body(&value) }
    }
}
