import AgentQueueModel
import AgentQueueStore
import Testing

@Suite struct ScheduleTests {
    private func schedule(_ name: String? = nil, at next: Int64) -> NewSchedule {
        NewSchedule(name: name, cron: "@daily", timeZone: "UTC", missed: .all, most: 7, work: #"{"job":{"prompt":"x"}}"#, nextAt: next)
    }

    @Test func `what was added is read back, by number and by name`() async throws {
        try await withStore { fixture in
            let added = try await fixture.store.schedules.add(schedule("digest", at: fixture.clock.wall + 1))
            #expect(added.name == "digest")
            #expect(added.most == 7)
            #expect(added.missed == .all)
            #expect(added.createdAt == fixture.clock.wall)
            #expect(try fixture.store.schedules.get(added.id) == added)
            #expect(try fixture.store.schedules.get(named: "digest") == added)
            let unnamed = try await fixture.store.schedules.add(schedule(at: 1))
            #expect(unnamed.name == "schedule-\(unnamed.id)")
            #expect(try fixture.store.schedules.list() == [added, unnamed])
            let error = await storeError { _ = try await fixture.store.schedules.add(schedule("digest", at: 1)) }
            #expect(error?.kind == .conflict)
            #expect(try await fixture.store.schedules.remove(schedule: added.id))
            #expect(try await !fixture.store.schedules.remove(schedule: added.id))
            #expect(try fixture.store.schedules.list() == [unnamed])
        }
    }

    @Test func `a firing adds its job and sets the next time, once`() async throws {
        try await withStore { fixture in
            let now = fixture.clock.wall
            let due = try await fixture.store.schedules.add(schedule("due", at: now))
            _ = try await fixture.store.schedules.add(schedule("later", at: now + 1))
            #expect(try fixture.store.maintenance.pending().nextFiring == now)
            #expect(try fixture.store.schedules.due().map(\.name) == ["due"])
            #expect(try await fixture.store.schedules.fire(due, .job(.asking("a")), next: now + 1_000))
            #expect(try await !fixture.store.schedules.fire(due, .job(.asking("b")), next: now + 1_000))
            #expect(try await !fixture.store.schedules.skip(due, next: nil, error: "late"))
            let fired = try #require(try fixture.store.schedules.get(due.id))
            #expect(fired.firings == 1)
            #expect(fired.firedAt == now)
            #expect(fired.nextAt == now + 1_000)
            #expect(fired.lastError == nil)
            #expect(try fixture.job(try #require(fired.lastJob)).state == .available)
            #expect(try fixture.count(of: "jobs") == 1)
        }
    }

    @Test func `a firing by hand leaves the times as they are, and each firing stays on record with what became of it`() async throws {
        try await withStore { fixture in
            let now = fixture.clock.wall
            let schedules = fixture.store.schedules
            let due = try await schedules.add(schedule("due", at: now))
            #expect(try await schedules.fire(due, .job(.asking("a")), next: now + 1_000))
            #expect(try await schedules.pause(schedule: due.id))
            fixture.clock.advance(10)
            let byHand = try #require(try await schedules.fireNow(due.id, .job(.asking("b"))))
            #expect(byHand.isByHand && byHand.jobState == .available)
            let after = try #require(try schedules.get(due.id))
            #expect((after.firings, after.lastJob, after.firedAt) == (2, byHand.job, now + 10))
            #expect(after.nextAt == nil && after.pausedAt != nil)
            let job = try #require(byHand.job)
            _ = try await fixture.store.jobs.cancel(ids: [job])
            let record = try schedules.firings(of: due.id, limit: 5)
            #expect(record.map(\.isByHand) == [true, false])
            #expect(record.map(\.jobState) == [.cancelled, .available])
            #expect(record.map(\.firedAt) == [now + 10, now])
            #expect(try schedules.firings(of: due.id, limit: 1).count == 1)
            for number in 0..<100 { _ = try await schedules.fireNow(due.id, .job(.asking("n\(number)"))) }
            #expect(try schedules.firings(of: due.id, limit: 1_000).count == 100)
            #expect(try await schedules.fireNow(99, .job(.asking("x"))) == nil)
            #expect(try await schedules.remove(schedule: due.id))
            #expect(try fixture.count(of: "schedule_firings") == 0)
        }
    }

    @Test func `of two stores that fire at once, each schedule is fired by one`() async throws {
        try await withStore { fixture in
            let other = try fixture.another()
            defer { other.close() }
            let now = fixture.clock.wall
            var schedules: [Schedule] = []
            for number in 0..<100 { schedules.append(try await fixture.store.schedules.add(schedule("s\(number)", at: now))) }
            let won = try await withThrowingTaskGroup(of: Bool.self) { group in
                for (index, due) in schedules.enumerated() {
                    for store in index.isMultiple(of: 2) ? [fixture.store, other] : [other, fixture.store] {
                        group.addTask { try await store.schedules.fire(due, .job(.asking("\(due.id)")), next: now + 1_000) }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(won == 100)
            #expect(try fixture.count(of: "jobs") == 100)
            #expect(try fixture.raw().int("SELECT count(*) FROM schedules WHERE firings = 1 AND next_at = \(now + 1_000)") == 100)
        }
    }

    @Test func `a job that cannot be added leaves the schedule due`() async throws {
        try await withStore { fixture in
            let due = try await fixture.store.schedules.add(schedule(at: fixture.clock.wall))
            var job = NewJob.asking("a")
            job.after = [4_711]
            let firing = Firing.job(job)
            let error = await storeError { _ = try await fixture.store.schedules.fire(due, firing, next: nil) }
            #expect(error?.kind == .conflict)
            #expect(try fixture.store.schedules.get(due.id) == due)
            #expect(try await fixture.store.schedules.skip(due, next: 5, error: "no"))
            #expect(try fixture.store.schedules.get(due.id)?.lastError == "no")
            #expect(try fixture.store.schedules.get(due.id)?.nextAt == 5)
        }
    }

    @Test func `one that is paused is not due until it goes on`() async throws {
        try await withStore { fixture in
            let now = fixture.clock.wall
            let due = try await fixture.store.schedules.add(schedule(at: now))
            #expect(try await fixture.store.schedules.pause(schedule: due.id))
            #expect(try fixture.store.schedules.due() == [])
            #expect(try fixture.store.maintenance.pending().nextFiring == nil)
            #expect(try await !fixture.store.schedules.fire(due, .job(.asking("a")), next: nil))
            #expect(try fixture.store.schedules.get(due.id)?.pausedAt == now)
            #expect(try await fixture.store.schedules.resume(schedule: due.id, next: now + 5))
            #expect(try await !fixture.store.schedules.resume(schedule: due.id, next: now + 6))
            #expect(try fixture.store.schedules.get(due.id)?.nextAt == now + 5)
            #expect(try await !fixture.store.schedules.pause(schedule: 4_711))
        }
    }
}
