import AgentQueueModel
import AgentQueueStore
import Testing

@Suite struct NoticeTests {
    private func claim(_ fixture: Fixture, lease: Int64 = 1_000) async throws -> [JobNotification] {
        var claimed: [JobNotification] = []
        for target in try fixture.store.notifications.dueTargets() {
            claimed += try await fixture.store.notifications.claim(target, limit: 100, lease: lease)
        }
        return claimed.sorted { $0.id < $1.id }
    }

    @Test func `due notifications are claimed by target`() async throws {
        try await withStore { fixture in
            for number in 1...5 {
                _ = try await fixture.complete(try await fixture.running { $0.onFinish = number < 5 ? ["hangs"] : ["fine", "late"] })
            }
            let notifications = fixture.store.notifications
            #expect(try notifications.dueTargets() == ["fine", "hangs", "late"])
            let some = try await notifications.claim("hangs", limit: 2, lease: 1_000)
            #expect(some.map(\.attempts) == [1, 1])
            let late = try #require(try await notifications.claim("late", limit: 5, lease: 1_000).first)
            try await notifications.settle(late, .unanswered("nobody"), retryAt: fixture.clock.wall + 5_000)
            #expect(try notifications.dueTargets() == ["fine", "hangs"])
            #expect(try await notifications.claim("hangs", limit: 9, lease: 1_000).count == 2)
            #expect(try notifications.dueTargets() == ["fine"])
            #expect(try await notifications.claim("fine", limit: 9, lease: 1_000).map(\.notification) == ["fine"])
            #expect(try notifications.dueTargets() == [])
            #expect(try notifications.undeliveredCount() == 6)
            fixture.clock.advance(1_000)
            #expect(try notifications.dueTargets() == ["fine", "hangs"])
        }
    }

    private func body(_ notice: JobNotification) throws -> JSONValue { try JSONValue.parse(notice.body) }

    @Test func `a job's end is told to each that watches it, without prompt and answer`() async throws {
        try await withStore { fixture in
            let job = try await fixture.running {
                $0.onFinish = ["pager", "log"]
                $0.batch = "b"
                $0.customID = "mine"
            }
            #expect(try fixture.store.notifications.nextDue() == nil)
            #expect(try await fixture.complete(job, "a secret answer") == .settled(.completed))
            #expect(try fixture.store.notifications.nextDue() == fixture.clock.wall)
            let notices = try await claim(fixture)
            #expect(notices.map(\.notification) == ["log", "pager"])
            #expect(notices.map(\.subject) == [job.id, job.id])
            #expect(notices.allSatisfy { $0.attempts == 1 && $0.kind == .job })
            #expect(
                try body(notices[0]) == [
                    "kind": "job", "id": .integer(job.id), "state": "completed", "queue": "default", "target": "local/m", "batch": "b",
                    "custom_id": "mine", "attempts": 1, "cost_usd": 0.25, "finished_at": "2026-11-22T00:00:00.000Z",
                ])
            #expect(!notices[0].body.contains("secret"))
            // Nobody else gets them while they are told.
            #expect(try await claim(fixture) == [])
            #expect(try fixture.count(of: "watches") == 0)
        }
    }

    @Test func `only failures are told to those who ask for failures`() async throws {
        try await withStore { fixture in
            let failing = try await fixture.running {
                $0.onFailure = ["pager"]
                $0.batch = "b"
                $0.onBatchFailure = ["batch-pager"]
            }
            let fine = try await fixture.running {
                $0.onFailure = ["pager", "log"]
                $0.onFinish = ["log"]
                $0.batch = "b"
            }
            let other = try await fixture.running {
                $0.batch = "fine"
                $0.onBatchFailure = ["batch-pager"]
            }
            let cancelled = try await fixture.add("c") { $0.onFailure = ["pager"] }
            _ = try await fixture.store.jobs.cancel(ids: [cancelled])
            try await fixture.fail(failing, .permanent)
            _ = try await fixture.complete(fine)
            _ = try await fixture.complete(other)
            let told = try await claim(fixture)
            #expect(told.map(\.notification) == ["pager", "log", "batch-pager"])
            #expect(told.map(\.subject).prefix(2) == [failing.id, fine.id])
            #expect(try told.map { try body($0)["state"]?.string } == ["discarded", "completed", "failed"])
            // What was not told is no longer subscribed either.
            #expect(try fixture.count(of: "watches") == 0)
            // Asked for both ways, in either order, it is told either way.
            for both in [false, true] {
                let job = try await fixture.running {
                    $0.batch = "both \(both)"
                    if both { $0.onBatchFailure = ["n"] } else { $0.onBatchFinish = ["n"] }
                }
                let (finish, failure) = both ? (["n"], []) : ([], ["n"])
                #expect(try await fixture.store.notifications.watch(batch: "both \(both)", tell: finish, onFailure: failure))
                _ = try await fixture.complete(job)
                #expect(try await claim(fixture).map(\.notification) == ["n"])
            }
        }
    }

    @Test func `every way to end is told`() async throws {
        try await withStore { fixture in
            let watched: (inout NewJob) -> Void = { $0.onFinish = ["n"] }
            let discarded = try await fixture.running(watched)
            try await fixture.fail(discarded, .permanent)
            let cancelled = try await fixture.add("c", watched)
            _ = try await fixture.store.jobs.cancel(ids: [cancelled])
            let dependent = try await fixture.add("d") {
                $0.after = [cancelled]
                $0.onFinish = ["n"]
            }
            let answered = try await fixture.running { $0.onFinish = ["n"] }
            _ = try await fixture.complete(answered, cacheFor: 60_000)
            var again = NewJob.asking("again")
            again.digest = answered.digest
            again.onFinish = ["n"]
            let cached = try await fixture.add(again)
            #expect(try fixture.state(cached) == .completed)
            let expiring = try await fixture.add("e") {
                $0.expiresAt = fixture.clock.wall + 10
                $0.onFinish = ["n"]
            }
            fixture.clock.advance(20)
            while try await fixture.store.maintenance.expire() > 0 {}
            let told = try await claim(fixture)
            #expect(told.map(\.subject) == [discarded.id, cancelled, dependent, answered.id, cached, expiring])
            #expect(
                try told.map { try body($0)["state"]?.string } == [
                    "discarded", "cancelled", "cancelled", "completed", "completed", "discarded",
                ])
        }
    }

    @Test func `a batch's end is told once, with its last job`() async throws {
        try await withStore { fixture in
            for name in ["a", "b"] {
                try await fixture.add(name) {
                    $0.batch = "b"
                    $0.onBatchFinish = ["n"]
                }
            }
            let jobs = try await fixture.claim()
            _ = try await fixture.complete(jobs[0])
            #expect(try await claim(fixture) == [])
            try await fixture.fail(jobs[1], .permanent)
            let told = try await claim(fixture)
            #expect(told.count == 1)
            let body = try body(try #require(told.first))
            #expect(body["name"] == "b")
            #expect(body["state"] == "failed")
            #expect([body["jobs"], body["completed"], body["cancelled"], body["discarded"]] == [2, 1, 0, 1])
            #expect(body["cost_usd"] == 0.25)
            // A later job of the same batch is not watched.
            let late = try await fixture.running { $0.batch = "b" }
            _ = try await fixture.complete(late)
            #expect(try await claim(fixture) == [])
        }
    }

    @Test func `a batch that has ended before it is watched is told at once`() async throws {
        try await withStore { fixture in
            let job = try await fixture.running { $0.batch = "b" }
            _ = try await fixture.complete(job)
            #expect(try await fixture.store.notifications.watch(batch: "b", tell: ["n"]))
            #expect(try await !fixture.store.notifications.watch(batch: "none", tell: ["n"]))
            #expect(try await claim(fixture).map(\.kind) == [.batch])
        }
    }

    @Test func `an attempt that failed is made again, and one that nobody noted too, under the same id`() async throws {
        try await withStore { fixture in
            _ = try await fixture.complete(try await fixture.running { $0.onFinish = ["n"] })
            let first = try #require(try await claim(fixture).first)
            try await fixture.store.notifications.settle(first, .failed("refused"), retryAt: fixture.clock.wall + 500)
            #expect(try await claim(fixture) == [])
            fixture.clock.advance(500)
            let second = try #require(try await claim(fixture).first)
            #expect(second.attempts == 2)
            #expect(second.messageID == first.messageID)
            // The process dies; another finds it when its time is over. What the dead one says then counts no more.
            fixture.clock.advance(1_000)
            let third = try #require(try await claim(fixture).first)
            #expect(third.attempts == 3)
            try await fixture.store.notifications.settle(second, .delivered, retryAt: nil)
            #expect(try fixture.store.notifications.list(limit: 10).map(\.state) == [.waiting])
            // An attempt broken off does not count, and leaves it due.
            try await fixture.store.notifications.settle(third, .broken, retryAt: nil)
            let fourth = try #require(try await claim(fixture).first)
            #expect(fourth.attempts == 3)
            try await fixture.store.notifications.settle(fourth, .delivered, retryAt: nil)
            #expect(try fixture.store.notifications.list(states: [.delivered], limit: 10).map(\.id) == [first.id])
            #expect(try fixture.store.notifications.nextDue() == nil)
        }
    }

    @Test func `one that was given up is counted, tried again on request, and pruned`() async throws {
        try await withStore { fixture in
            _ = try await fixture.complete(try await fixture.running { $0.onFinish = ["n", "m"] })
            let notices = try await claim(fixture)
            try await fixture.store.notifications.settle(notices[0], .refused("gone"), retryAt: fixture.clock.wall)
            try await fixture.store.notifications.settle(notices[1], .failed("no"), retryAt: nil)
            #expect(try fixture.store.notifications.failedCount() == 2)
            #expect(try fixture.store.notifications.list(states: [.failed], limit: 10).map(\.error) == ["no", "gone"])
            #expect(try await fixture.store.notifications.retry([notices[0].id, 4_711]) == 1)
            #expect(try await claim(fixture).map(\.attempts) == [1])
            #expect(try await fixture.store.notifications.retry() == 1)
            try await fixture.store.notifications.settle(try #require(try await claim(fixture).first), .delivered, retryAt: nil)
            fixture.clock.advance(10_000)
            _ = try await fixture.store.maintenance.prune(PrunePolicy(completed: 5_000, cancelled: .max, discarded: .max))
            #expect(try fixture.store.notifications.list(limit: 10).map(\.state) == [.waiting])
        }
    }

    @Test func `a job that is deleted leaves no watch`() async throws {
        try await withStore { fixture in
            let id = try await fixture.add("a") {
                $0.onFinish = ["n"]
                $0.batch = "b"
                $0.onBatchFinish = ["n"]
            }
            _ = try await fixture.store.jobs.cancel(ids: [id])
            _ = try await fixture.store.jobs.delete(ids: [id])
            #expect(try fixture.count(of: "watches") == 0)
            #expect(try await claim(fixture).count == 2)
        }
    }
}
