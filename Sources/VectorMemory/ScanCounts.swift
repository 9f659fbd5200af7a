/// What a scan has looked at, in rows.
struct ScanCounts {
    /// Those that may be found.
    var scanned = 0
    /// Of these, those whose sketch was looked at first, and how many it left.
    var bySketch = 0
    var left = 0
    /// Those whose codes were looked at.
    var byCodes = 0
    /// Of these, those that were looked at in one go, with all around them.
    var inWhole = 0

    static func += (one: inout Self, other: Self) {
        one.scanned += other.scanned
        one.bySketch += other.bySketch
        one.left += other.left
        one.byCodes += other.byCodes
        one.inWhole += other.inWhole
    }
}
