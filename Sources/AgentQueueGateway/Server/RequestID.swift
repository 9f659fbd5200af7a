/// Marks an exchange in the log and in both id headers of its answer.
struct RequestID: Sendable, CustomStringConvertible {
    let description: String

    /// - Parameter number: random, so that ids of several processes differ.
    init(_ number: UInt64) { description = "req_" + String(number, radix: 16) }
}
