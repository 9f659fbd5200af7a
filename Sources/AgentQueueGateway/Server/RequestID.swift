import HTTPTypes

/// Marks an exchange in the log and in both id headers of its answer.
struct RequestID: Sendable, CustomStringConvertible {
    let description: String

    /// - Parameter number: random, so that ids of several processes differ.
    init(_ number: UInt64) { description = "req_" + String(number, radix: 16) }

    static func random() -> RequestID { RequestID(.random(in: 1...UInt64.max)) }

    /// OpenAI's clients read one of the two, Anthropic's the other.
    func add(to fields: inout HTTPFields) {
        for name in Self.names { fields[name] = description }
    }

    private static let names = ["x-request-id", "request-id"].compactMap { HTTPField.Name($0) }
}
