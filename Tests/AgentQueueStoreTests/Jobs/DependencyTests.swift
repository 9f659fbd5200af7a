import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct DependencyTests {
    private func complete(_ f: Fixture, _ id: Int64) async throws {
        let jobs = try await f.claim(1, providers: ["local"])
        #expect(jobs.map(\.id) == [id])
        _ = try await f.complete(#require(jobs.first))
        try await f.cascade()
    }

    @Test func allMustComplete() async throws {
        try await withStore { f in
            let one = try await f.add()
            let two = try await f.add()
            let both = try await f.add { $0.after = [one, two] }
            let timed = try await f.add {
                $0.after = [one]
                $0.scheduledAt = f.clock.wall + 1_000
            }
            let chained = try await f.add { $0.after = [both] }
            #expect(try f.states([both, timed, chained]) == [.pending, .pending, .pending])
            try await complete(f, one)
            #expect(try f.states([both, timed, chained]) == [.pending, .scheduled, .pending])
            try await complete(f, two)
            #expect(try f.states([both, timed, chained]) == [.available, .scheduled, .pending])
            // One that is added now depends on what has completed, and on what has not.
            #expect(try await f.store.jobs.enqueue(.with(f) { $0.after = [one, two] }).state == .available)
            #expect(try await f.store.jobs.enqueue(.with(f) { $0.after = [one, both] }).state == .pending)
            try await complete(f, both)
            #expect(try f.state(chained) == .available)
        }
    }

    @Test func aFailureCascadesThroughThreeLevelsInSlices() async throws {
        try await withStore { f in
            let root = try await f.running { $0.maxAttempts = 1 }
            let first = try await f.store.jobs.enqueue(
                (0..<7).map { _ in
                    .with(f) {
                        $0.after = [root.id]
                        $0.batch = "b"
                    }
                }
            ).map(\.id)
            let second = try await f.store.jobs.enqueue(first.map { id in .with(f) { $0.after = [id] } }).map(\.id)
            let third = try await f.store.jobs.enqueue(second.map { id in .with(f) { $0.after = [id, first[0]] } }).map(\.id)
            let bystander = try await f.running()
            let waiting = try await f.add { $0.after = [bystander.id] }
            #expect(try await f.fail(root) == .settled(.discarded))
            // Nothing happens in the failing transaction itself, and each slice is small.
            #expect(try f.raw().int("SELECT count(*) FROM jobs WHERE state = 'cancelled'") == 0)
            #expect(try await f.store.maintenance.cascade(slice: 3))
            #expect(try f.raw().int("SELECT count(*) FROM jobs WHERE state = 'cancelled'") == 3)
            let slices = try await f.cascade(slice: 3)
            #expect(slices >= 7)
            #expect(try f.states(first + second + third).allSatisfy { $0 == .cancelled })
            #expect(try f.states([waiting, bystander.id]) == [.pending, .running])
            #expect(try f.store.jobs.batch(named: "b")?.cancelled == 7)
            let reason = try f.job(second[0]).errors
            #expect(
                reason.map(\.failure) == [.dependency] && reason.first?.message.contains("job \(first[0])") == true
                    && reason.first?.attempt == 0)
            #expect(try f.count(of: "cascades") == 0)
            #expect(try await f.store.maintenance.cascade() == false)

            // A retry of the first restores them all, through every level.
            #expect(try await f.store.jobs.retry(ids: [root.id]) == [JobChange(id: root.id, result: .changed(.available))])
            try await f.cascade(slice: 3)
            #expect(try f.states(first + second + third).allSatisfy { $0 == .pending })
            #expect(try f.store.jobs.batch(named: "b")?.cancelled == 0)
            let again = try await f.one()
            #expect(again.id == root.id && again.attempt == 1)
            _ = try await f.complete(again)
            try await f.cascade(slice: 3)
            #expect(try f.states(first).allSatisfy { $0 == .available })
            #expect(try f.states(second).allSatisfy { $0 == .pending })
        }
    }

    @Test(arguments: ["cancelled", "discarded", "expired"])
    func whateverEndsItWithoutAnAnswer(_ end: String) async throws {
        try await withStore { f in
            let first = try await f.add { if end == "expired" { $0.expiresAt = f.clock.wall + 10 } }
            let dependent = try await f.add { $0.after = [first] }
            switch end {
            case "cancelled": _ = try await f.store.jobs.cancel(ids: [first])
            case "discarded": try await f.fail(f.one(), .permanent)
            default:
                f.clock.wall += 10
                #expect(try await f.store.maintenance.expire() == 1)
            }
            try await f.cascade()
            #expect(try f.states([first, dependent]) == [end == "cancelled" ? .cancelled : .discarded, .cancelled])
        }
    }

    @Test func aJobAddedAfterAFailedOneIsCancelledAtOnce() async throws {
        try await withStore { f in
            let failed = try await f.add()
            _ = try await f.store.jobs.cancel(ids: [failed])
            let open = try await f.add()
            let receipt = try await f.store.jobs.enqueue(
                .with(f) {
                    $0.after = [open, failed]
                    $0.batch = "b"
                })
            #expect(receipt.state == .cancelled)
            let stored = try f.job(receipt.id)
            #expect(stored.finalizedAt == f.clock.wall && stored.errors.map(\.failure) == [.dependency] && stored.after == [failed, open])
            #expect(try f.store.jobs.batch(named: "b") == BatchProgress(jobs: 1, completed: 0, cancelled: 1, discarded: 0))
            // And restored like the others.
            _ = try await f.store.jobs.retry(ids: [failed])
            try await f.cascade()
            #expect(try f.state(receipt.id) == .pending)
        }
    }

    @Test func aDependencyThatIsNotThereIsRefused() async throws {
        try await withStore { f in
            let error = await storeError { try await f.add { $0.after = [4_711] } }
            #expect(error?.kind == .conflict)
            let jobs = try f.count(of: "jobs")
            #expect(jobs == 0)
        }
    }

    @Test func aRetryBetweenTheSlicesUndoesTheRest() async throws {
        try await withStore { f in
            let root = try await f.add()
            let dependents = try await f.store.jobs.enqueue((0..<9).map { _ in .with(f) { $0.after = [root] } }).map(\.id)
            _ = try await f.store.jobs.cancel(ids: [root])
            #expect(try await f.store.maintenance.cascade(slice: 4))
            #expect(try f.states(dependents).count { $0 == .cancelled } == 4)
            _ = try await f.store.jobs.retry(ids: [root])
            try await f.cascade(slice: 4)
            #expect(try f.states(dependents).allSatisfy { $0 == .pending })
            try await complete(f, root)
            #expect(try f.states(dependents).allSatisfy { $0 == .available })
        }
    }

    /// It was cancelled through one of two; the other failed while it was. Restored through the first, it must not wait
    /// for the second for ever.
    @Test func aJobRestoredBesideAnotherFailureIsCancelledAgain() async throws {
        try await withStore { f in
            let one = try await f.add()
            let two = try await f.add()
            let both = try await f.add { $0.after = [one, two] }
            _ = try await f.store.jobs.cancel(ids: [one])
            try await f.cascade()
            _ = try await f.store.jobs.cancel(ids: [two])
            try await f.cascade()
            _ = try await f.store.jobs.retry(ids: [one])
            try await f.cascade()
            #expect(try f.state(both) == .cancelled)
            _ = try await f.store.jobs.retry(ids: [two])
            try await f.cascade()
            #expect(try f.state(both) == .pending)
            for job in try await f.claim() { _ = try await f.complete(job) }
            try await f.cascade()
            #expect(try f.state(both) == .available)
        }
    }

    /// Found by the model test (sequence 434): of two failed dependencies, the one that is to tell is retried before it does.
    @Test func aJobRetriedBesideTwoFailuresIsToldOfBoth() async throws {
        try await withStore { f in
            let one = try await f.add()
            let two = try await f.add()
            let both = try await f.add { $0.after = [one, two] }
            _ = try await f.store.jobs.cancel(ids: [one, two])
            try await f.cascade()
            _ = try await f.store.jobs.retry(ids: [both, one])
            try await f.cascade()
            #expect(try f.states([one, two, both]) == [.available, .cancelled, .cancelled])
            _ = try await f.store.jobs.retry(ids: [two])
            try await f.cascade()
            #expect(try f.state(both) == .pending)
        }
    }

    /// A retried job may complete (from the cache, say) before what its first end cancelled is restored.
    @Test func aJobThatCompletesBeforeItsDependentsAreRestored() async throws {
        try await withStore { f in
            let root = try await f.add()
            let dependents = try await f.store.jobs.enqueue((0..<9).map { _ in .with(f) { $0.after = [root] } }).map(\.id)
            let last = try await f.add { $0.after = [dependents[0]] }
            _ = try await f.store.jobs.cancel(ids: [root])
            try await f.cascade()
            _ = try await f.store.jobs.retry(ids: [root])
            _ = try await f.complete(f.one())
            try await f.cascade(slice: 4)
            #expect(try f.states(dependents).allSatisfy { $0 == .available })
            #expect(try f.state(last) == .pending)
        }
    }

    @Test func retryingADependentAloneDoesNotLetItRun() async throws {
        try await withStore { f in
            let root = try await f.add()
            let dependent = try await f.add { $0.after = [root] }
            _ = try await f.store.jobs.cancel(ids: [root])
            try await f.cascade()
            _ = try await f.store.jobs.retry(ids: [dependent])
            #expect(try await f.claim().isEmpty)
            try await f.cascade()
            #expect(try f.state(dependent) == .cancelled)
            _ = try await f.store.jobs.retry(ids: [root])
            try await f.cascade()
            #expect(try f.state(dependent) == .pending)
        }
    }

    /// Completed while the dependent was cancelled: no one tells it again.
    @Test func aDependencyThatCompletedMeanwhileIsMet() async throws {
        try await withStore { f in
            let one = try await f.add()
            let two = try await f.add { $0.priority = 9 }
            let both = try await f.add { $0.after = [one, two] }
            _ = try await f.store.jobs.cancel(ids: [two])
            try await f.cascade()
            try await complete(f, one)
            #expect(try f.state(both) == .cancelled)
            _ = try await f.store.jobs.retry(ids: [two])
            try await f.cascade()
            try await complete(f, two)
            #expect(try f.state(both) == .available)
        }
    }

    @Test func aRestoredJobWhoseKeyWasTakenStaysCancelled() async throws {
        try await withStore { f in
            let root = try await f.add()
            let dependent = try await f.add {
                $0.after = [root]
                $0.uniqueKey = "k"
            }
            _ = try await f.store.jobs.cancel(ids: [root])
            try await f.cascade()
            let other = try await f.add { $0.uniqueKey = "k" }
            _ = try await f.store.jobs.retry(ids: [root])
            try await f.cascade()
            #expect(try f.states([dependent, other]) == [.cancelled, .available])
            #expect(try f.job(dependent).errors.last?.message.contains("unique key") == true)
            #expect(
                try await f.store.jobs.retry(ids: [dependent]) == [
                    JobChange(id: dependent, result: .refused("another job has its unique key now"))
                ])
        }
    }

    @Test func aCancelledDependentMakesNoRoomForItsDependencysDeletion() async throws {
        try await withStore { f in
            let root = try await f.add()
            let dependent = try await f.add { $0.after = [root] }
            try await complete(f, root)
            #expect(try f.state(dependent) == .available)
            // Still needed, in the words of the rule, as long as it has not ended.
            #expect(
                try await f.store.jobs.delete(ids: [root]) == [
                    JobChange(id: root, result: .refused("jobs that wait for it have not ended"))
                ])
            try await complete(f, dependent)
            #expect(try await f.store.jobs.delete(ids: [root]) == [JobChange(id: root, result: .changed(.completed))])
            #expect(try f.job(dependent).after == [])
        }
    }
}
