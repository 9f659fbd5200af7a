import AgentQueueModel
import Synchronization
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// Nothing is sent twice, and no answer lost, wherever the worker dies.
@Suite struct BatchCrashTests {
    /// Dies at the n-th of the places where it can, for every n there is; whoever comes next goes on.
    @Test(arguments: [true, false])
    func everyStepSurvivesADeath(_ namesLabels: Bool) async throws {
        for place in 1...40 {
            try await withScene(namesLabels: namesLabels) { s in
                let ids = try await s.add((0..<8).map { "q\($0)" })
                try await s.claim()
                s.pass(BatchScene.minute)
                let death = BatchScene.dying(at: place)
                for _ in 0..<4 {
                    try await s.drive(interrupt: death)
                    await s.provider.finish(6)
                    s.pass(5 * BatchScene.minute)
                }
                try await s.finish(ids)
                #expect(try s.states(ids) == Array(repeating: .completed, count: 8), "died at \(place)")
                #expect(await s.provider.charges == Dictionary(uniqueKeysWithValues: (0..<8).map { ("q\($0)", 1) }), "died at \(place)")
                for (index, id) in ids.enumerated() { #expect(try s.text(id) == "re: q\(index)") }
                // A batch of 8, and one of the 2 that the first left: none beside them.
                #expect(await s.provider.batches.map(\.items.count) == [8, 2], "died at \(place)")
                #expect(try s.batches().allSatisfy { $0.state == .ended })
            }
        }
    }

    @Test(arguments: [true, false])
    func aSubmissionWhoseAnswerWasLostIsFound(_ namesLabels: Bool) async throws {
        try await withScene(namesLabels: namesLabels) { s in
            await s.provider.next(.submit, .answerLost)
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(try s.batches().map(\.state) == [.submitting])
            try await s.drive()
            #expect(try s.batches().map(\.state) == [.submitted])
            try await s.finish(ids)
            #expect(await s.provider.count(.submit) == 1)
            #expect(await s.provider.charges == ["a": 1, "b": 1])
        }
    }

    /// A server error says nothing about what became of it.
    @Test func aSubmissionThatNeverArrivedIsRepeatedOnceItCannotArriveAnyMore() async throws {
        try await withScene { s in
            await s.provider.next(.submit, .refused(ModelFailure(.retryable, "the connection broke", isMaybePaid: true)))
            let ids = try await s.add(["a"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            for _ in 0..<3 {
                try await s.drive()
                s.pass(15_000)
            }
            #expect(await s.provider.count(.submit) == 1, "it may still arrive")
            s.pass(30_000)
            try await s.drive()
            #expect(await s.provider.count(.submit) == 2)
            try await s.finish(ids)
            #expect(await s.provider.charges == ["a": 1])
        }
    }

    @Test func aDeadWorkersIntentWaitsTwiceAsLong() async throws {
        try await withScene { s in
            let ids = try await s.add(["a"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive { if "\($0)" == "the intent is written" { throw BatchInterruption() } }
            #expect(try s.open().state == .submitting)
            for _ in 0..<7 {
                try await s.drive()
                s.pass(15_000)
            }
            #expect(await s.provider.count(.submit) == 0)
            s.pass(30_000)
            try await s.drive()
            #expect(await s.provider.count(.submit) == 1)
            try await s.finish(ids)
            #expect(await s.provider.charges == ["a": 1])
        }
    }

    /// A provider that keeps no label: count and time may fit a stranger's.
    @Test func anothersBatchIsFoundOutAndLeftAlone() async throws {
        try await withScene(namesLabels: false) { s in
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            await s.provider.addForeign("theirs", count: 2)
            await s.provider.next(.submit, .answerLost)
            try await s.drive()
            try await s.drive()
            try await s.finish(ids)
            #expect(try s.text(ids[0]) == "re: a" && s.text(ids[1]) == "re: b")
            #expect(await s.provider.count(.submit) == 1)
            #expect(await s.provider.count(.cancel) == 0)
            #expect(await s.provider.charges == ["a": 1, "b": 1])
        }
    }

    /// Both are lost, and each is taken for the other at first.
    @Test func twoThatWereTakenForEachOtherChangePlaces() async throws {
        try await withScene(items: 2, namesLabels: false) { s in
            for _ in 0..<2 { await s.provider.next(.submit, .answerLost) }
            let ids = try await s.add(["a", "b", "c", "d"])
            try await s.claim()
            try await s.drive()
            #expect(await s.provider.batches.count == 2)
            // The later of ours looks first.
            try await s.store.write { transaction in
                _ = try transaction.statement("UPDATE provider_batches SET due_at = due_at + 20000 WHERE id = 1").run()
            }
            s.pass(1_000)
            try await s.drive()
            s.pass(60_000)
            try await s.finish(ids)
            for (id, text) in zip(ids, ["a", "b", "c", "d"]) { #expect(try s.text(id) == "re: \(text)") }
            #expect(await s.provider.count(.submit) == 2)
            #expect(await s.provider.charges.values.allSatisfy { $0 == 1 })
        }
    }

    /// The first was only stopped, and goes on after another has found its batch.
    @Test func aWorkerThatWakesTooLateChangesNothing() async throws {
        try await withScene { s in
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            let scene = s
            let asleep = Mutex(true)
            // While it "sleeps" between the POST and its record, another comes and finishes everything.
            let late = try await s.driver { point in
                guard "\(point)" == "sent", asleep.withLock({ $0 }) else { return }
                asleep.withLock { $0 = false }
                throw BatchInterruption()
            }
            await #expect(throws: BatchInterruption.self) { _ = try await late.advance(scene.provider) }
            let seen = try s.open()
            try await s.drive()
            #expect(try s.batches().map(\.state) == [.submitted])
            // Its late word is the same as what is known.
            let remote = try #require(await s.provider.batches.first?.remote)
            let word = seen.submitted(as: remote, isCertain: true, s.policy, now: s.now)
            #expect(try await s.store.providerBatches.update(word, from: .submitting, releases: true) == false)
            #expect(try await s.store.providerBatches.noteLateSubmission(word))
            var other = remote
            other.id = "a second one"
            #expect(
                try await s.store.providerBatches.noteLateSubmission(seen.submitted(as: other, isCertain: true, s.policy, now: s.now))
                    == false)
            try await s.finish(ids)
            #expect(await s.provider.charges == ["a": 1, "b": 1])
        }
    }

    @Test func twoDriversAtOnceDoEachStepOnce() async throws {
        try await withScene(items: 2) { s in
            let ids = try await s.add((0..<20).map { "q\($0)" })
            try await s.claim()
            for _ in 0..<12 {
                let drivers = [try await s.driver(lives: true), try await s.driver(lives: true), try await s.driver(lives: true)]
                try await withThrowingTaskGroup { group in
                    for driver in drivers { group.addTask { [provider = s.provider] in _ = try await driver.advance(provider) } }
                    try await group.waitForAll()
                }
                await s.provider.finish()
                s.pass(BatchScene.minute)
            }
            try await s.finish(ids)
            #expect(try s.states(ids) == Array(repeating: .completed, count: 20))
            #expect(await s.provider.batches.count == 10)
            #expect(await s.provider.charges.values.allSatisfy { $0 == 1 })
        }
    }
}
