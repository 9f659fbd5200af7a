import Dispatch

/// Calls that take long and do not wait for tasks.
enum BlockingCall {
    /// Carries it out on a thread that no task waits for.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async { continuation.resume(with: Result { try body() }) }
        }
    }
}
