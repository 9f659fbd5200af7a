/// How far a time zone's clocks are ahead of UTC: all that cron expressions need to know of a zone.
package protocol ZoneOffsets: Sendable {
    /// Seconds ahead of UTC (behind it, where negative) at a time, seconds since 1970.
    func offset(at seconds: Int64) -> Int64
}

/// A zone's offsets a day before a time and a day after it. Two changes within two days are unheard of.
struct ZoneWindow {
    /// In seconds.
    let before: Int64
    /// In seconds.
    let later: Int64

    /// Looks at a zone.
    /// - Parameter seconds: since 1970, in UTC or as the zone's clocks show it: no offset is as long as a day.
    init(around seconds: Int64, in zone: some ZoneOffsets) {
        before = zone.offset(at: seconds - 86_400)
        later = zone.offset(at: seconds + 86_400)
    }

    /// The first second of the later offset.
    /// - Parameters:
    ///   - low: a time of the earlier offset.
    ///   - high: a time of the later one.
    func change(between low: Int64, and high: Int64, in zone: some ZoneOffsets) -> Int64 {
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if zone.offset(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }
}
