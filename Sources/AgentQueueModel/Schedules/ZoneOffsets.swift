/// How far a time zone's clocks are ahead of UTC: all that cron expressions need to know about a zone.
package protocol ZoneOffsets: Sendable {
    /// Seconds ahead of UTC (negative if behind) at a given time, in seconds since 1970.
    func offset(at seconds: Int64) -> Int64
}

/// A zone's offsets a day before and a day after a given time. No zone is known to have changed twice within two days.
struct ZoneWindow {
    /// The offset a day before, in seconds.
    let before: Int64
    /// The offset a day after, in seconds.
    let later: Int64

    /// - Parameter seconds: since 1970, in UTC or as the zone's clocks show it: no offset is as long as a day.
    init(around seconds: Int64, in zone: some ZoneOffsets) {
        before = zone.offset(at: seconds - 86_400)
        later = zone.offset(at: seconds + 86_400)
    }

    /// The first second with the later offset.
    /// - Parameters:
    ///   - low: a time with the earlier offset.
    ///   - high: a time with the later offset.
    func change(between low: Int64, and high: Int64, in zone: some ZoneOffsets) -> Int64 {
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if zone.offset(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }
}
