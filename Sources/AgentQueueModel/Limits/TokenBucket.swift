/// A limit per minute: it holds at most one minute's worth, refills evenly, and may go into debt, because what a call uses is only known
/// afterwards.
///
/// A state machine without a clock: times are wall clock, ms, and passed in.
package struct TokenBucket: Sendable, Equatable {
    /// The capacity of the bucket, and the amount that flows in per minute.
    public private(set) var capacity: Double
    /// What is left at ``updatedAt``; a negative level is debt.
    public private(set) var level: Double
    /// The time of the level. It is in the future while the bucket is parked: until then nothing may be taken and nothing flows in.
    public private(set) var updatedAt: Int64
    /// Whether the provider has been seen to renew its window all at once, so that an exhausted window stays empty until then.
    public private(set) var renewsAtOnce: Bool

    /// The longest reset time that is believed from a rate limit header, in ms.
    package static let longestReset: Int64 = 3_600_000
    private static let minute = 60_000.0

    /// Starts with a full bucket.
    package init(capacity: Double, now: Int64) {
        self.init(capacity: capacity, level: capacity, updatedAt: now)
    }

    /// Restores a stored bucket.
    package init(capacity: Double, level: Double, updatedAt: Int64, renewsAtOnce: Bool = false) {
        self.capacity = max(1, capacity)
        self.level = min(level, self.capacity)
        self.updatedAt = updatedAt
        self.renewsAtOnce = renewsAtOnce
    }

    /// What is left at a given time; nothing while the bucket is parked.
    package func level(at now: Int64) -> Double {
        guard now >= updatedAt else { return min(level, 0) }
        return min(capacity, level + Double(now - updatedAt) * capacity / Self.minute)
    }

    /// When `amount` may be taken; `now` if it may be taken at once. An amount larger than the capacity is admitted when the bucket is
    /// full and leaves a debt.
    package func opening(for amount: Double, now: Int64) -> Int64 {
        let from = max(now, updatedAt)
        let missing = min(amount, capacity) - level(at: from)
        // Sums of fractions are rarely exact.
        let excess = missing - 1e-6
        guard excess > 0 else { return from }
        return from + Int64((excess * Self.minute / capacity).rounded(.up))
    }

    /// Takes an estimated amount.
    package mutating func take(_ amount: Double, now: Int64) {
        refill(now)
        level -= amount
    }

    /// Replaces an estimate with the amount that was used.
    package mutating func adjust(taken: Double, used: Double, now: Int64) {
        refill(now)
        level = min(capacity, level + taken - used)
    }

    /// Blocks the bucket until a given time and allows one call then: the provider asked to wait and did not say how much it will accept
    /// afterwards.
    package mutating func park(until time: Int64, now: Int64) {
        refill(now)
        guard time > updatedAt else { return }
        level = 1
        updatedAt = time
    }

    /// Adopts the limit that the provider reports.
    /// - Parameters:
    ///   - limit: the capacity of its full window; nil if it does not say.
    ///   - remaining: what it says is left, counting other users of the same key. It is only believed if it is less than what is known
    ///     here, because the provider has not seen the calls that are on their way.
    ///   - reset: when its window is full again, in ms.
    ///   - configured: the limit in the configuration, if any; the tighter one applies.
    package mutating func observe(limit: Double?, remaining: Double?, reset: Int64?, configured: Double?, now: Int64) {
        refill(now)
        if let limit, limit >= 1 { resize(min(limit, configured ?? limit)) }
        guard let remaining else { return }
        level = min(level, remaining)
        guard let reset, reset > 0, let limit, limit >= 1 else { return }
        // A bucket that refills evenly is full again once the missing amount has flowed in; a window renewed all at once is full at its
        // own time.
        let even = (limit - remaining) * Self.minute / limit
        if remaining >= limit / 2 { renewsAtOnce = Double(reset) > 2 * even + 2_000 }
        guard remaining < 1, renewsAtOnce, now + reset > updatedAt else { return }
        updatedAt = now + min(reset, Self.longestReset)
        level = capacity
    }

    /// Changes the amount per minute; the level stays the same.
    package mutating func correct(_ capacity: Double) {
        self.capacity = max(1, capacity)
        level = min(level, self.capacity)
    }

    /// Follows a rate that is being learned. Little is saved up while there is nothing to do, because a limit that is known only by its
    /// refusals may be one for each second.
    package mutating func follow(_ rate: Double, now: Int64) {
        refill(now)
        correct(rate)
        level = min(level, Self.savings(of: capacity))
    }

    /// Whether following a rate would change more than is worth a write.
    package func isFar(from rate: Double, now: Int64) -> Bool {
        abs(rate - capacity) > 0.005 * capacity || level(at: now) > 2 * Self.savings(of: capacity)
    }

    /// What flows in within 5 s, and one call at least.
    private static func savings(of capacity: Double) -> Double { max(1, capacity / 12) }

    /// Changes the amount per minute; the amount used stays the same.
    package mutating func resize(_ capacity: Double) {
        let used = self.capacity - level
        self.capacity = max(1, capacity)
        level = self.capacity - used
    }

    /// Moves the bucket's time to a clock that has gone back, so that what it waits for takes no longer.
    package mutating func clockWentBack(by step: Int64) { updatedAt -= step }

    private mutating func refill(_ now: Int64) {
        guard now > updatedAt else { return }
        level = level(at: now)
        updatedAt = now
    }
}
