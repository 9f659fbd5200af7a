/// What a scan has looked at, in rows.
struct ScanCounts {
    /// Those that may be found.
    var scanned = 0
    /// Those whose codes were looked at.
    var byCodes = 0
    /// Of these, those that no sketch covers, looked at in one go with all around them.
    var uncovered = 0
    /// Those whose sketch was looked at, and how many of them it left.
    var bySketch = 0
    var left = 0
    /// What looking at the sketch cost, and what looking at the codes alone would have, in rows of codes that are read one after the other.
    var cost = (withSketch: 0.0, without: 0.0)

    static func += (one: inout Self, other: Self) {
        one.scanned += other.scanned
        one.byCodes += other.byCodes
        one.uncovered += other.uncovered
        one.bySketch += other.bySketch
        one.left += other.left
        one.cost.withSketch += other.cost.withSketch
        one.cost.without += other.cost.without
    }
}
