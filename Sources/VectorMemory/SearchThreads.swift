import Dispatch

/// Threads for what takes long, so that no task waits for a thread.
struct SearchThreads: Sendable {
    private let queue: DispatchQueue

    /// - Parameter name: what debuggers show.
    init(_ name: String) { queue = DispatchQueue(label: name, attributes: .concurrent) }

    /// Carries out a body on one of them.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
