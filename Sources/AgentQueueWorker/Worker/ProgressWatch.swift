/// Notices that no job ends any more. Times are in ms on one clock.
struct ProgressWatch {
    /// The least time between two looks.
    private static let interval: Int64 = 500

    private var lastLook: Int64?
    private var lastEnd: Int64 = 0
    private var ended = 0

    /// Whether it is time to look again.
    func isDue(at now: Int64) -> Bool { lastLook.map { now - $0 >= Self.interval } ?? true }

    /// Takes in how many jobs have ended.
    /// - Returns: how long none has. Where there are fewer, some have been pruned.
    mutating func look(ended: Int, at now: Int64) -> Int64 {
        if lastLook == nil || ended > self.ended { lastEnd = now }
        (self.ended, lastLook) = (ended, now)
        return now - lastEnd
    }
}
