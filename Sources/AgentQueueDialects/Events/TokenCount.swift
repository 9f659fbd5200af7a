import AgentQueueModel

/// Counts of tokens, as servers write them.
package enum TokenCount {
    /// More than any call reads or writes. Greater numbers are faults of the server, such as -1 without its sign.
    private static let limit = Double(1 << 31)

    /// Reads a count, which may have a fraction. What is negative, absurd or no number counts as missing.
    package static func exact(_ value: JSONValue?) -> Double? {
        guard let count = value?.number, count >= 0, count < limit else { return nil }
        return count
    }

    /// Reads a count as a whole number; nil if it is missing.
    package static func read(_ value: JSONValue?) -> Int? { exact(value).map { Int($0.rounded()) } }
}
