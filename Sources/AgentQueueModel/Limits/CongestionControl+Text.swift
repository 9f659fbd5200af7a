/// The stored form: numbers and the phase, separated by spaces. More may be added at the end.
extension CongestionControl {
    package var text: String {
        let whole: [Int64] = [
            since, backoffAfter, measuredSince, Int64(accepted), Int64(recent.calls), Int64(recent.refusals), Int64(total.calls),
            Int64(total.refusals), Int64(row), first, Int64(again), Int64(waits), waitsUntil, lastCall, lastRefusal, noiseUntil,
            hasPaused ? 1 : 0,
        ]
        return "\(phase.rawValue) \(base) \(ceiling) \(shareBefore) \(whole.map(String.init).joined(separator: " "))"
    }

    /// Parses ``text``; nil if it is damaged.
    package init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count >= 21, let phase = Phase(rawValue: String(parts[0])) else { return nil }
        let reals = parts[1...3].compactMap { Double($0) }
        let whole = parts[4..<21].compactMap { Int64($0) }
        guard reals.count == 3, whole.count == 17, reals.allSatisfy({ $0.isFinite && $0 >= 0 }) else { return nil }
        let counts = whole.map { Int(clamping: $0) }
        self.phase = phase
        (base, ceiling, shareBefore) = (max(1, reals[0]), max(1, reals[1]), max(1e-6, reals[2]))
        (since, backoffAfter, measuredSince) = (whole[0], whole[1], whole[2])
        accepted = counts[3]
        recent = Tally(calls: counts[4], refusals: counts[5])
        total = Tally(calls: counts[6], refusals: counts[7])
        (row, first, again, waits) = (counts[8], whole[9], counts[10], counts[11])
        (waitsUntil, lastCall, lastRefusal, noiseUntil) = (whole[12], whole[13], whole[14], whole[15])
        hasPaused = whole[16] == 1
    }
}
