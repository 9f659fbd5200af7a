import AgentQueueModel
import AgentQueueTestSupport
import Testing

@Suite struct CircuitBreakerTests {
    private typealias Policy = CircuitBreaker.Policy

    /// A breaker that has seen these calls, a tenth of a second apart; `x` is a failure.
    private func breaker(after calls: String, _ policy: CircuitBreaker.Policy = CircuitBreaker.Policy()) -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for (index, call) in calls.enumerated() { breaker.record(0, succeeded: call != "x", now: Int64(index) * 100, policy) }
        return breaker
    }

    @Test(
        arguments: [
            ("", false), ("....", false), ("xxxx", false), ("xxxxx", true), ("xxxx.xxxx", false), (".....xxxxx", true),
            // Half of at least ten.
            ("x.x.x.x.x", false), (".x.x.x.x.x", true), ("..x.x.x.x.x", false), ("xxx.xxx...", false), ("xx.xx.xx....", false),
            ("..........xxxx", false), ("xx.xx.xx.x", true),
        ] as [(String, Bool)])
    func whatOpensIt(_ calls: String, _ opens: Bool) {
        let breaker = breaker(after: calls)
        let end = Int64(max(0, calls.count - 1)) * 100
        #expect(breaker.state == (opens ? .open(until: end + 30_000) : .closed))
        #expect(breaker.admission(now: end) == (opens ? .none(until: end + 30_000) : .all))
    }

    @Test func callsOutsideTheWindowDoNotCount() {
        var breaker = CircuitBreaker()
        let policy = CircuitBreaker.Policy(consecutive: 100)
        for index in 0..<9 { breaker.record(0, succeeded: false, now: Int64(index), policy) }
        breaker.record(0, succeeded: true, now: 60_000, policy)
        breaker.record(0, succeeded: false, now: 60_001, policy)
        #expect(breaker.state == .closed, "the nine are too old")
        for index in 0..<9 { breaker.record(0, succeeded: false, now: 61_000 + Int64(index), policy) }
        #expect(breaker.state != .closed)
    }

    @Test func oneProbeDecides() {
        var breaker = breaker(after: "xxxxx")
        let opening: Int64 = 30_400
        #expect(breaker.admission(now: opening - 1) == .none(until: opening))
        #expect(breaker.admission(now: opening) == .probe)
        breaker.beginProbe(7)
        #expect(breaker.state == .halfOpen(probe: 7) && breaker.admission(now: .max) == .none(until: nil))
        breaker.beginProbe(8)
        breaker.record(8, succeeded: true, now: opening, CircuitBreaker.Policy())
        breaker.abandonProbe(8, now: opening)
        #expect(breaker.state == .halfOpen(probe: 7), "another call decides nothing")
        var failed = breaker
        failed.record(7, succeeded: false, now: opening, CircuitBreaker.Policy())
        #expect(failed.state == .open(until: opening + 30_000))
        var abandoned = breaker
        abandoned.abandonProbe(7, now: opening)
        #expect(abandoned.admission(now: opening) == .probe)
        breaker.record(7, succeeded: true, now: opening, CircuitBreaker.Policy())
        #expect(breaker == CircuitBreaker())
        breaker.beginProbe(9)
        #expect(breaker.state == .closed)
    }

    @Test func aPersonClosesIt() {
        var breaker = breaker(after: "xxxxx")
        breaker.reset()
        #expect(breaker == CircuitBreaker())
    }

    /// The breaker as anyone would write it who need not be brief: it keeps every call.
    private struct Reference {
        var calls: [(slot: Int64, failed: Bool)] = []
        var row = 0
        var openUntil: Int64?
        var probe: Int64?

        mutating func record(_ token: Int64, _ succeeded: Bool, _ now: Int64, _ policy: CircuitBreaker.Policy) {
            if let probe {
                guard probe == token else { return }
                self = Reference()
                if !succeeded { openUntil = now + policy.openFor }
                return
            }
            guard openUntil == nil else { return }
            let slot = now / max(1, policy.window / 6)
            calls.append((slot, !succeeded))
            calls.removeAll { $0.slot <= slot - 6 }
            row = succeeded ? 0 : row + 1
            let failures = calls.count { $0.failed }
            let isBad = calls.count >= 10 && Double(failures) >= policy.failureRate * Double(calls.count)
            if !succeeded, row >= policy.consecutive || isBad {
                self = Reference()
                openUntil = now + policy.openFor
            }
        }
    }

    /// Random lives beside the reference.
    @Test func itDoesWhatTheReferenceDoes() {
        for seed in 0..<1_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let policy = CircuitBreaker.Policy(
                failureRate: Double.random(in: 0.1...1, using: &generator), window: Int64.random(in: 100...20_000, using: &generator),
                consecutive: Int.random(in: 1...12, using: &generator), openFor: Int64.random(in: 1...5_000, using: &generator))
            let failing = Int.random(in: 0...100, using: &generator)
            var breaker = CircuitBreaker()
            var reference = Reference()
            var now: Int64 = 1_795_305_600_000
            var tokens: Int64 = 0
            for step in 0..<150 {
                now += Int64.random(in: 0...(Bool.random(using: &generator) ? 50 : 2_000), using: &generator)
                let expected: CircuitBreaker.Admission =
                    if reference.probe != nil {
                        .none(until: nil)
                    } else if let time = reference.openUntil {
                        now < time ? .none(until: time) : .probe
                    } else {
                        .all
                    }
                let admission = breaker.admission(now: now)
                #expect(admission == expected, "seed \(seed), step \(step)")
                guard admission == expected else { return }
                if admission == .probe, Bool.random(using: &generator) {
                    tokens += 1
                    breaker.beginProbe(tokens)
                    reference.probe = tokens
                }
                switch Int.random(in: 0...9, using: &generator) {
                case 0:
                    let token = reference.probe ?? tokens
                    breaker.abandonProbe(token, now: now)
                    if reference.probe != nil {
                        reference.probe = nil
                        reference.openUntil = now
                    }
                case 1:
                    // One that was made before, or never.
                    breaker.record(tokens + 5, succeeded: true, now: now, policy)
                    reference.record(tokens + 5, true, now, policy)
                default:
                    let succeeded = Int.random(in: 1...100, using: &generator) > failing
                    let token = reference.probe ?? tokens
                    breaker.record(token, succeeded: succeeded, now: now, policy)
                    reference.record(token, succeeded, now, policy)
                }
            }
        }
    }
}
