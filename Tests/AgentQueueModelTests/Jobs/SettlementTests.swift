import AgentQueueModel
import AgentQueueTestSupport
import Testing

@Suite struct SettlementTests {
    private func decide(_ end: AttemptEnd, attempt: Int = 1, of maxAttempts: Int = 3, backoff: Int64 = 4_000) -> Settlement {
        Settlement.decide(end, attempt: attempt, maxAttempts: maxAttempts, backoff: backoff, now: 1_000_000)
    }

    @Test func anAnswerCompletes() {
        for attempt in 1...3 { #expect(decide(.answered, attempt: attempt) == Settlement(state: .completed)) }
    }

    @Test func whatIsHandedBackIsAvailableAtOnceAndUncounted() {
        let back = Settlement(state: .available, scheduledAt: 1_000_000, countsAttempt: false)
        for attempt in 1...3 {
            #expect(decide(.handedBack, attempt: attempt) == back)
            #expect(decide(.failed(.shutdown), attempt: attempt) == back)
            #expect(decide(.failed(.shutdown, retryAfter: 9_000), attempt: attempt) == back)
        }
    }

    /// Every class, at the first and at the last attempt.
    @Test(arguments: FailureClass.allCases)
    func failures(_ failure: FailureClass) {
        let first = decide(.failed(failure))
        let last = decide(.failed(failure), attempt: 3)
        switch failure {
        case .permanent, .refused, .expired:
            #expect(first == Settlement(state: .discarded))
            #expect(last == first)
        case .cancelled, .dependency:
            #expect(first == Settlement(state: .cancelled))
            #expect(last == first)
        case .shutdown:
            #expect(first.state == .available && last == first)
        case .unreachable, .rateLimited, .overloaded, .authentication, .quotaExhausted:
            #expect(first == Settlement(state: .retryable, scheduledAt: 1_004_000, countsAttempt: false))
            #expect(last == first)
        case .retryable, .timedOut, .invalidReply, .crashed:
            #expect(first == Settlement(state: .retryable, scheduledAt: 1_004_000))
            #expect(decide(.failed(failure), attempt: 2) == first)
            #expect(last == Settlement(state: .discarded))
            #expect(decide(.failed(failure), attempt: 1, of: 1).state == .discarded)
            // A job whose bound was passed (it cannot be) is not tried for ever.
            #expect(decide(.failed(failure), attempt: 4).state == .discarded)
        }
    }

    @Test(arguments: [FailureClass.unreachable, .rateLimited, .overloaded, .authentication, .quotaExhausted])
    func aSnoozeFollowsTheProvidersWord(_ failure: FailureClass) {
        // A longer wait is the lane's: the job stands in it again soon.
        #expect(decide(.failed(failure, retryAfter: 60_000)).scheduledAt == 1_000_000 + Settlement.longestSnooze)
        #expect(decide(.failed(failure, retryAfter: 9_000)).scheduledAt == 1_009_000)
        // Shorter than the backoff too, but never shorter than a second.
        #expect(decide(.failed(failure, retryAfter: 2_000)).scheduledAt == 1_002_000)
        #expect(decide(.failed(failure, retryAfter: 0)).scheduledAt == 1_000_000 + Settlement.shortestSnooze)
        #expect(decide(.failed(failure, retryAfter: -5)).scheduledAt == 1_000_000 + Settlement.shortestSnooze)
        #expect(decide(.failed(failure), backoff: 3).scheduledAt == 1_000_000 + Settlement.shortestSnooze)
        #expect(decide(.failed(failure, retryAfter: 60_000), attempt: 3) == decide(.failed(failure, retryAfter: 60_000)))
    }

    @Test(arguments: [FailureClass.retryable, .timedOut, .invalidReply, .crashed])
    func aRetryWaitsForTheLongerOfBackoffAndTheProvidersWord(_ failure: FailureClass) {
        #expect(decide(.failed(failure, retryAfter: 60_000)) == Settlement(state: .retryable, scheduledAt: 1_060_000))
        #expect(decide(.failed(failure, retryAfter: 10)) == Settlement(state: .retryable, scheduledAt: 1_004_000))
    }

    /// The provider was known to fail; the job only lent its call.
    @Test func aFailedProbeIsNoAttempt() {
        for failure in FailureClass.allCases {
            let probe = Settlement.decide(.failed(failure), isProbe: true, attempt: 3, maxAttempts: 3, backoff: 4_000, now: 1_000_000)
            switch failure {
            case .retryable, .timedOut:
                #expect(probe == Settlement(state: .retryable, scheduledAt: 1_004_000, countsAttempt: false))
            default:
                #expect(
                    probe == Settlement.decide(.failed(failure), attempt: 3, maxAttempts: 3, backoff: 4_000, now: 1_000_000))
            }
        }
    }

    /// Only an answer completes, and whatever does not end a job says when it goes on.
    @Test func everySettlementIsWhole() {
        let ends = [.answered, .handedBack] + FailureClass.allCases.flatMap { [AttemptEnd.failed($0), .failed($0, retryAfter: 7_000)] }
        for end in ends {
            for attempt in 1...3 {
                let settlement = decide(end, attempt: attempt)
                #expect((settlement.state == .completed) == (end == .answered))
                #expect(settlement.state.isFinal == (settlement.scheduledAt == nil))
                #expect([.completed, .cancelled, .discarded, .retryable, .available].contains(settlement.state))
                // An attempt that is counted and not the last leaves one more; the claim's bound can never be passed.
                if !settlement.state.isFinal, settlement.countsAttempt { #expect(attempt < 3) }
            }
        }
    }

    @Test func finalStates() {
        #expect(JobState.allCases.filter(\.isFinal) == [.completed, .cancelled, .discarded])
    }
}

@Suite struct BackoffTests {
    /// The wait lies anywhere between the floor and the doubled base, never over the cap.
    @Test(
        arguments: [
            (1, 100...1_000), (2, 100...2_000), (3, 100...4_000), (10, 100...512_000), (11, 100...600_000), (12, 100...600_000),
            (41, 100...600_000), (1_000, 100...600_000), (.max, 100...600_000), (0, 100...1_000), (-7, 100...1_000),
        ] as [(Int, ClosedRange<Int64>)])
    func bounds(_ attempt: Int, _ range: ClosedRange<Int64>) {
        var generator = SeededGenerator(seed: UInt64(bitPattern: Int64(attempt)))
        let waits = (0..<2_000).map { _ in Backoff().delay(afterAttempt: attempt, using: &generator) }
        #expect(waits.allSatisfy(range.contains))
        // All of the range, and evenly: half of the waits lie in its lower half.
        let width = range.upperBound - range.lowerBound
        #expect((waits.min() ?? 0) < range.lowerBound + width / 50 && (waits.max() ?? 0) > range.upperBound - width / 50)
        let low = waits.count { $0 < range.lowerBound + width / 2 }
        #expect((880...1_120).contains(low))
    }

    @Test(
        arguments: [
            (Backoff(base: 0, cap: 10), 3, 1...1), (Backoff(base: 5, cap: 0), 1, 1...1), (Backoff(base: -5, cap: 10), 1, 1...1),
            (Backoff(base: 1, cap: 10, floor: 0), 1, 0...1), (Backoff(base: 3, cap: 10), 1, 3...3),
            (Backoff(base: 3, cap: 10, floor: 2), 1, 2...3), (Backoff(base: .max, cap: .max - 1), 2, 100...(.max - 1)),
            (Backoff(base: .max, cap: 7, floor: 0), 40, 0...7),
        ] as [(Backoff, Int, ClosedRange<Int64>)])
    func extremes(_ backoff: Backoff, _ attempt: Int, _ range: ClosedRange<Int64>) {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 { #expect(range.contains(backoff.delay(afterAttempt: attempt, using: &generator))) }
    }

    @Test func theSameSeedGivesTheSameWaits() {
        var one = SeededGenerator(seed: 9)
        var other = SeededGenerator(seed: 9)
        for attempt in 1...20 {
            #expect(Backoff().delay(afterAttempt: attempt, using: &one) == Backoff().delay(afterAttempt: attempt, using: &other))
        }
    }
}
