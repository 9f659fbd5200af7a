/// A rate limit a minute: holds at most a minute's worth, refills evenly, and may run into debt, for what a call uses is
/// known only afterwards.
///
/// A state machine without a clock: times are wall clock, ms, and passed in.
package struct TokenBucket: Sendable, Equatable {
    /// What a full bucket holds, and what flows in within a minute.
    public private(set) var capacity: Double
    /// What is left at ``updatedAt``; below 0 is debt.
    public private(set) var level: Double
    /// As of when. In the future while the bucket is parked: until then nothing may be taken, and nothing flows in.
    public private(set) var updatedAt: Int64
    /// Whether the provider renews its window as a whole, as it was seen to: once exhausted, there is nothing before that.
    public private(set) var renewsAtOnce: Bool

    /// The longest wait that a rate limit header is believed, in ms.
    package static let longestReset: Int64 = 3_600_000
    private static let minute = 60_000.0

    /// A full bucket.
    package init(capacity: Double, now: Int64) {
        self.init(capacity: capacity, level: capacity, updatedAt: now)
    }

    /// A bucket as it was kept.
    package init(capacity: Double, level: Double, updatedAt: Int64, renewsAtOnce: Bool = false) {
        self.capacity = max(1, capacity)
        self.level = min(level, self.capacity)
        self.updatedAt = updatedAt
        self.renewsAtOnce = renewsAtOnce
    }

    /// What is left at a time; nothing while it is parked.
    package func level(at now: Int64) -> Double {
        guard now >= updatedAt else { return min(level, 0) }
        return min(capacity, level + Double(now - updatedAt) * capacity / Self.minute)
    }

    /// When `amount` may be taken: `now` if it may already. More than a full bucket holds is let through when it is full, and
    /// leaves a debt.
    package func opening(for amount: Double, now: Int64) -> Int64 {
        let from = max(now, updatedAt)
        let missing = min(amount, capacity) - level(at: from)
        // Sums of fractions seldom come out even.
        let excess = missing - 1e-6
        guard excess > 0 else { return from }
        return from + Int64((excess * Self.minute / capacity).rounded(.up))
    }

    /// Takes an estimate.
    package mutating func take(_ amount: Double, now: Int64) {
        refill(now)
        level -= amount
    }

    /// Replaces an estimate by what was really used.
    package mutating func settle(taken: Double, used: Double, now: Int64) {
        refill(now)
        level = min(capacity, level + taken - used)
    }

    /// Nothing may be taken before a time, and one at it: the provider asked to wait, and did not say how much it will take then.
    package mutating func park(until time: Int64, now: Int64) {
        refill(now)
        guard time > updatedAt else { return }
        level = 1
        updatedAt = time
    }

    /// Takes the provider's own word for its limit.
    /// - Parameters:
    ///   - limit: what its full window holds; nil where it does not say.
    ///   - remaining: what it says is left of it, calls of others with the same key counted. Only less than is known here is
    ///     believed: it has not seen the calls that are on their way.
    ///   - reset: when its window is full again, in ms.
    ///   - configured: the limit that its owner set, if any: the tighter one holds.
    package mutating func observe(limit: Double?, remaining: Double?, reset: Int64?, configured: Double?, now: Int64) {
        refill(now)
        if let limit, limit >= 1 { resize(min(limit, configured ?? limit)) }
        guard let remaining else { return }
        level = min(level, remaining)
        guard let reset, reset > 0, let limit, limit >= 1 else { return }
        // An evenly filled bucket is full again once what is missing has flowed in; one that is renewed at once, at its time.
        let even = (limit - remaining) * Self.minute / limit
        if remaining >= limit / 2 { renewsAtOnce = Double(reset) > 2 * even + 2_000 }
        guard remaining < 1, renewsAtOnce, now + reset > updatedAt else { return }
        updatedAt = now + min(reset, Self.longestReset)
        level = capacity
    }

    /// Changes what a minute holds; what is left stays.
    package mutating func correct(_ capacity: Double) {
        self.capacity = max(1, capacity)
        level = min(level, self.capacity)
    }

    /// Changes what a minute holds; what was used of it stays used.
    package mutating func resize(_ capacity: Double) {
        let used = self.capacity - level
        self.capacity = max(1, capacity)
        level = self.capacity - used
    }

    private mutating func refill(_ now: Int64) {
        guard now > updatedAt else { return }
        level = level(at: now)
        updatedAt = now
    }
}
