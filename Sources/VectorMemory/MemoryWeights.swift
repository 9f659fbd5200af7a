import Glibc

/// What counts besides nearness, added to it.
struct MemoryWeights: Hashable {
    /// What a memory gets that was made just now; it halves with each half-life of age.
    var recency: Double
    /// In ms.
    var halfLife: Int64
    /// What a memory gets whose importance is 1; others in proportion.
    var importance: Double

    /// Those of a query; nil where nothing but nearness counts.
    init?(_ query: MemoryQuery) {
        guard query.recencyWeight != 0 || query.importanceWeight != 0 else { return nil }
        recency = query.recencyWeight
        halfLife = query.recencyHalfLife
        importance = query.importanceWeight
    }

    /// What a memory gets. One that is made in the future counts as made now.
    func bonus(createdAt: Int64, importance: Float, now: Int64) -> Float {
        var bonus = self.importance * Double(importance)
        if recency != 0 {
            let age = now.subtractingReportingOverflow(createdAt)
            bonus += recency * exp2(-Double(age.overflow ? 0 : max(0, age.partialValue)) / Double(halfLife))
        }
        return Float(bonus)
    }
}
