import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// Steps of runs go on with their settlements: no one else has to look after the run.
@Suite struct RunStepTests {
    private static func counting() -> ScriptedProvider {
        .talking(
            { texts, _ in texts.map { _ in .failure(ModelFailure(.permanent, "no embeddings here")) } },
            reply: { request in
                let asked = request.body["messages"]?.array?.last?["content"]?.string ?? ""
                return .reply(ModelReply(text: asked + "+", finishReason: "stop", usage: Usage(inputTokens: 1, outputTokens: 1)))
            })
    }

    private func work(_ bench: Bench, until run: Int64) async throws {
        let worker = bench.worker()
        try await withThrowingTaskGroup { group in
            group.addTask { try await worker.run() }
            try await until("run \(run) ends") { try bench.store.runs.states(of: [run])[run]?.isFinal == true }
            worker.beginShutdown()
            try await group.waitForAll()
        }
    }

    @Test func aChainRunsWithoutUpkeep() async throws {
        let provider = Self.counting()
        try await withBench(provider, planner: ChainPlanner(length: 5)) { bench in
            let run = try await bench.store.runs.start(ChainPlanner(length: 5).run()).id
            try await work(bench, until: run)
            let detail = try #require(try bench.store.runs.detail(run))
            #expect(detail.output == "begin+++++" && detail.summary.state == .completed)
            #expect(provider.asked.count == 5)
            // The second run is answered by the cache, by the settlements of the worker's own claims and of enqueuing.
            let second = try await bench.store.runs.start(ChainPlanner(length: 5).run()).id
            try await bench.store.runs.resume(run: second, with: ChainPlanner(length: 5))
            #expect(try bench.store.runs.detail(second)?.output == "begin+++++")
            #expect(provider.asked.count == 5)
        }
    }

    @Test func aClaimedStepThatTheCacheAnswersGoesOn() async throws {
        let provider = Self.counting()
        try await withBench(provider, planner: ChainPlanner(length: 2)) { bench in
            // Both first steps are there before either is answered; the second of them follows, or finds the answer in the cache.
            let runs = [
                try await bench.store.runs.start(ChainPlanner(length: 2).run()).id,
                try await bench.store.runs.start(ChainPlanner(length: 2).run()).id,
            ]
            while true {
                let jobs = try await bench.claim()
                for job in jobs { await bench.run([job]) }
                let wentOn = try await bench.store.runs.resume(runs: ChainPlanner(length: 2))
                if jobs.isEmpty, !wentOn { break }
            }
            #expect(try bench.store.runs.states(of: runs).values.allSatisfy { $0 == .completed })
            #expect(provider.asked.count == 2)
        }
    }

    /// What a very wide run does next is not decided at each end: whoever looks after it tells it of many at once.
    @Test func aWideRunIsToldOfManyEndsAtOnce() async throws {
        try await withBench(Self.counting(), planner: ChainPlanner(length: 1)) { bench in
            var new = try ChainPlanner(length: 1).run()
            let job = try #require(new.first.begun.first).job
            for number in 2...300 { new.first.begun.append(NewStep(path: "\(number)", job: job)) }
            let run = try await bench.store.runs.start(new).id
            let jobs = try await bench.claim()
            for job in jobs { await bench.run([job]) }
            #expect(try bench.store.runs.due() == [run])
            #expect(try bench.store.runs.snapshot(run)?.version == 2, "nothing of it was decided")
            while try await bench.store.runs.resume(runs: ChainPlanner(length: 1)) {}
            #expect(try bench.store.runs.detail(run)?.summary.state == .completed)
            while try await bench.store.maintenance.fanOut() {}
            while try await bench.store.runs.sweep() {}
            while try await bench.store.runs.resume(runs: ChainPlanner(length: 1)) {}
        }
    }

    @Test func aStepIsSettledWhateverItsRunDoes() async throws {
        let planner = ChainPlanner(length: 2, isBroken: true)
        try await withBench(Self.counting(), planner: planner) { bench in
            let run = try await bench.store.runs.start(planner.run()).id
            let job = try #require(try await bench.claim().first)
            await bench.run([job])
            #expect(try bench.store.jobs.states(of: [job.id]) == [job.id: .completed])
            #expect(try bench.store.runs.due() == [run])
            while try await bench.store.runs.resume(runs: planner) {}
            #expect(try bench.store.runs.detail(run)?.summary.reason?.hasPrefix("it could not go on") == true)
        }
    }

    @Test func aStepThatFailsForGoodEndsItsRun() async throws {
        let provider = ScriptedProvider.talking({ _, _ in [] }, reply: { _ in .failure(ModelFailure(.permanent, "no such model")) })
        try await withBench(provider, planner: ChainPlanner(length: 2)) { bench in
            let run = try await bench.store.runs.start(ChainPlanner(length: 2).run()).id
            try await work(bench, until: run)
            let detail = try #require(try bench.store.runs.detail(run))
            #expect(detail.summary.state == .failed && detail.summary.reason == "no such model")
            #expect(detail.calls.map(\.failure) == ["no such model"])
        }
    }
}
