import QueueStore
import Settings
import VectorMemory

extension MemoryQuery {
    /// The most memories that a query may ask for.
    public static let limits = 1...10_000

    /// Checks all that can be seen of the query alone, so that nothing is paid for one that cannot be answered.
    /// - Throws: `InputError` (`usage`).
    public func check() throws(InputError) {
        guard !namespaces.isEmpty else { throw InputError("a query needs a namespace", exit: .usage) }
        for name in namespaces { try NamespaceName.check(name) }
        guard Self.limits.contains(limit) else { throw InputError("limit must be 1 to 10000, not \(limit)", exit: .usage) }
        if let text {
            guard !TextSize.isBlank(text) else { throw InputError("the text to look for is empty", exit: .usage) }
            guard !TextSize.holdsNUL(text) else { throw InputError("the text to look for holds a NUL character", exit: .usage) }
            guard text.utf8.count <= MemoryLimits.maxTextBytes else {
                let longest = ByteCountText.format(Int64(MemoryLimits.maxTextBytes))
                throw InputError("the text to look for is longer than \(longest)", exit: .usage)
            }
        } else {
            guard vector != nil else { throw InputError("a text to look for is missing", exit: .usage) }
            guard mode == .vector else {
                throw InputError("mode \(mode.rawValue) looks for words, so it needs a text besides the vector", exit: .usage)
            }
        }
        if let vector, mode != .words {
            do throws(VectorError) {
                _ = try MemoryVector(vector)
            } catch {
                throw InputError(error.description, exit: .badData)
            }
        }
        try checkWeights()
    }

    private func checkWeights() throws(InputError) {
        try Self.check(minImportance, named: "min-importance")
        try Self.check(relevance.map { 1 - $0 }, named: "diversity")
        try Self.check(recencyWeight, named: "recency-weight", to: 100)
        try Self.check(importanceWeight, named: "importance-weight", to: 100)
        guard recencyHalfLife > 0 else { throw InputError("half-life must be more than 0", exit: .usage) }
        guard minScore?.isFinite ?? true else { throw InputError("min-score must be a number", exit: .usage) }
    }

    private static func check(_ value: Double?, named name: String, to most: Double = 1) throws(InputError) {
        guard let value, !(value >= 0 && value <= most) else { return }
        throw InputError("\(name) must be 0 to \(Int(most)), not \(value)", exit: .usage)
    }
}
