import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct PromoteTests {
    @Test func dueJobsBecomeAvailable() async throws {
        try await withStore { f in
            #expect(try await f.store.maintenance.promote() == (promoted: 0, nextDue: nil))
            let scheduled = try await f.add { $0.scheduledAt = f.clock.wall + 1_000 }
            let later = try await f.add { $0.scheduledAt = f.clock.wall + 9_000 }
            let retryable = try await f.running()
            try await f.fail(retryable)
            let start = f.clock.wall
            #expect(try await f.store.maintenance.promote() == (promoted: 0, nextDue: start + 1_000))
            f.clock.wall = start + 999
            #expect(try await f.store.maintenance.promote() == (promoted: 0, nextDue: start + 1_000))
            f.clock.wall = start + 1_000
            #expect(try await f.store.maintenance.promote() == (promoted: 1, nextDue: start + 4_000))
            #expect(try f.states([scheduled, later, retryable.id]) == [.available, .scheduled, .retryable])
            f.clock.wall = start + 4_000
            #expect(try await f.store.maintenance.promote() == (promoted: 1, nextDue: start + 9_000))
            #expect(try f.states([scheduled, later, retryable.id]) == [.available, .scheduled, .available])
            f.clock.wall = start + 86_400_000
            #expect(try await f.store.maintenance.promote() == (promoted: 1, nextDue: nil))
            #expect(try await f.claim().map(\.id) == [scheduled, later, retryable.id])
        }
    }

    @Test func worksInSlices() async throws {
        try await withStore { f in
            _ = try await f.store.jobs.enqueue((0..<25).map { index in .with(f) { $0.scheduledAt = f.clock.wall + 1 + Int64(index) } })
            f.clock.wall += 100
            var promoted: [Int] = []
            while case let step = try await f.store.maintenance.promote(slice: 10), step.promoted > 0 { promoted.append(step.promoted) }
            #expect(promoted == [10, 10, 5])
        }
    }

    @Test func aClockThatGoesBackOnlyDelays() async throws {
        try await withStore { f in
            let id = try await f.add { $0.scheduledAt = f.clock.wall + 1_000 }
            f.clock.wall -= 86_400_000
            #expect(try await f.store.maintenance.promote().promoted == 0)
            f.clock.wall += 86_401_000
            #expect(try await f.store.maintenance.promote().promoted == 1)
            f.clock.wall -= 86_400_000
            #expect(try f.state(id) == .available)
            #expect(try await f.claim().map(\.id) == [id])
        }
    }

    // MARK: Expiry

    @Test func whatHasNotBegunInTimeIsDiscarded() async throws {
        try await withStore { f in
            let deadline = f.clock.wall + 1_000
            let first = try await f.add {
                $0.expiresAt = deadline
                $0.priority = 1
            }
            let running = try await f.one()
            #expect(running.id == first)
            let pending = try await f.add {
                $0.after = [first]
                $0.expiresAt = deadline
            }
            let scheduled = try await f.add {
                $0.scheduledAt = f.clock.wall + 5_000
                $0.expiresAt = deadline
            }
            let available = try await f.add {
                $0.expiresAt = deadline
                $0.batch = "b"
            }
            let later = try await f.add { $0.expiresAt = deadline + 1 }
            let never = try await f.add()
            f.clock.wall = deadline - 1
            #expect(try await f.store.maintenance.expire() == 0)
            f.clock.wall = deadline
            #expect(try await f.store.maintenance.expire() == 3)
            #expect(
                try f.states([first, pending, scheduled, available, later, never])
                    == [.running, .discarded, .discarded, .discarded, .available, .available])
            #expect(try f.job(available).errors.map(\.failure) == [.expired])
            #expect(try f.store.jobs.batch(named: "b")?.discarded == 1)
            #expect(try await f.store.maintenance.expire() == 0)
            #expect(try await f.complete(running) == .settled(.completed))
        }
    }

    @Test func expiresInSlices() async throws {
        try await withStore { f in
            _ = try await f.store.jobs.enqueue((0..<25).map { _ in .with(f) { $0.expiresAt = f.clock.wall + 1 } })
            f.clock.wall += 1
            var slices: [Int] = []
            while case let count = try await f.store.maintenance.expire(slice: 10), count > 0 { slices.append(count) }
            #expect(slices == [10, 10, 5])
        }
    }

    @Test func aRetryForgetsAnExpiryThatHasPassed() async throws {
        try await withStore { f in
            let expired = try await f.add { $0.expiresAt = f.clock.wall + 10 }
            let kept = try await f.add { $0.expiresAt = f.clock.wall + 10_000 }
            f.clock.wall += 10
            _ = try await f.store.maintenance.expire()
            _ = try await f.store.jobs.cancel(ids: [kept])
            _ = try await f.store.jobs.retry(ids: [expired, kept])
            #expect(try f.job(expired).expiresAt == nil && f.job(kept).expiresAt != nil)
            #expect(try await f.store.maintenance.expire() == 0)
            #expect(try await f.claim().count == 2)
        }
    }
}
