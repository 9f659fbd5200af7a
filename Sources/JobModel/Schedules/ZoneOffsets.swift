/// How far a time zone's clocks are ahead of UTC: all that this room needs to know of one.
public protocol ZoneOffsets: Sendable {
    /// Seconds ahead of UTC (behind it, where negative) at a time, seconds since 1970.
    func offset(at seconds: Int64) -> Int64
}
