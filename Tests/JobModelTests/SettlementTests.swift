import JobModel
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
        case .rateLimited, .overloaded, .authentication, .quotaExhausted:
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

    @Test(arguments: [FailureClass.rateLimited, .overloaded, .authentication, .quotaExhausted])
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
