import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

@Suite struct StatisticsTests {
    /// A busy hour, and then every kept count is what counting would say.
    @Test func keptCountsAreWhatCountingSays() async throws {
        try await withStore(durability: .normal) { f in
            var generator = SeededGenerator(seed: 4)
            for index in 0..<200 {
                try await f.add("\(index % 60)") {
                    $0.queue = "q\(index % 3)"
                    $0.batch = "b\(index % 2)"
                    $0.maxAttempts = 2
                    if index.isMultiple(of: 9) { $0.scheduledAt = f.clock.wall + 50_000 }
                }
                if index.isMultiple(of: 5) {
                    for job in try await f.claim(4) {
                        switch Int.random(in: 0..<5, using: &generator) {
                        case 0: try await f.fail(job)
                        case 1: try await f.fail(job, .permanent)
                        case 2: try await f.fail(job, .cancelled)
                        case 3: break
                        default: _ = try await f.complete(job, cacheFor: 1_000_000)
                        }
                    }
                }
                f.clock.advance(700)
                _ = try await f.store.maintenance.promote()
            }
            let statistics = try f.store.maintenance.statistics()
            let raw = try f.raw()
            for state in JobState.allCases {
                #expect(statistics.count(state) == Int(try raw.int("SELECT count(*) FROM jobs WHERE state = '\(state.rawValue)'") ?? -1))
            }
            for queue in statistics.queues {
                for state in JobState.allCases {
                    let found = try raw.int(
                        """
                        SELECT count(*) FROM jobs JOIN lanes ON lanes.id = lane_id WHERE queue = '\(queue.name)' AND state = '\(state.rawValue)'
                        """)
                    #expect(queue.count(state) == Int(found ?? -1))
                }
            }
            let paid = try #require(
                try raw.rows(
                    "SELECT count(*), sum(input_tokens), sum(output_tokens), sum(cost_usd) FROM results WHERE answered_by = 'provider'"
                ).first)
            let lanes = statistics.lanes
            #expect("\(lanes.reduce(0) { $0 + $1.calls })" == paid[0])
            #expect(
                "\(lanes.reduce(0) { $0 + $1.usage.inputTokens })" == paid[1]
                    && "\(lanes.reduce(0) { $0 + $1.usage.outputTokens })" == paid[2])
            #expect(lanes.reduce(0) { $0 + $1.cost } == Double(paid[3]))
            let cached = try raw.int("SELECT count(*) FROM results WHERE answered_by = 'cache'") ?? -1
            #expect(lanes.reduce(0) { $0 + $1.cacheAnswers } == Int(cached) && statistics.cache.hits == Int(cached) && cached > 0)
            #expect(lanes.reduce(0) { $0 + $1.saved } == Double(cached) * 0.25)
            #expect(statistics.cache.misses == lanes.reduce(0) { $0 + $1.calls })
            #expect(statistics.completedLastHour == statistics.count(.completed))
            #expect(statistics.discardedLastHour == statistics.count(.discarded))
            for name in ["b0", "b1"] {
                let batch = try #require(try f.store.jobs.batch(named: name))
                for (state, kept) in [(JobState.completed, batch.completed), (.cancelled, batch.cancelled), (.discarded, batch.discarded)] {
                    let found = try raw.int(
                        "SELECT count(*) FROM jobs JOIN batches ON batches.id = batch_id WHERE name = '\(name)' AND state = '\(state.rawValue)'"
                    )
                    #expect(kept == Int(found ?? -1))
                }
                #expect(batch.jobs == 100)
            }
            #expect(statistics.workers.map(\.running) == [statistics.count(.running)])
            #expect(statistics.databaseBytes > 0 && statistics.walBytes > 0)
        }
    }

    @Test func throughputIsOfTheLatestMinutes() async throws {
        try await withStore { f in
            f.clock.wall -= f.clock.wall % 60_000
            func complete(_ count: Int) async throws {
                for _ in 0..<count { _ = try await f.complete(f.running()) }
            }
            try await complete(3)
            #expect(try f.store.maintenance.statistics().completedLastMinute == 3)
            #expect(try f.store.maintenance.statistics().completedLastHour == 3)
            f.clock.wall += 59_000
            try await complete(1)
            #expect(try f.store.maintenance.statistics().completedLastMinute == 4)
            f.clock.wall += 1_000
            try await complete(1)
            #expect(try f.store.maintenance.statistics().completedLastMinute == 2)
            f.clock.wall += 60_000
            #expect(try f.store.maintenance.statistics().completedLastMinute == 0)
            f.clock.wall += 57 * 60_000
            #expect(try f.store.maintenance.statistics().completedLastHour == 5)
            f.clock.wall += 60_000
            #expect(try f.store.maintenance.statistics().completedLastHour == 1)
            f.clock.wall += 60_000
            #expect(try f.store.maintenance.statistics().completedLastHour == 0)
        }
    }

    @Test func latencyIsOfPaidAnswers() async throws {
        try await withStore { f in
            #expect(try f.store.maintenance.statistics().latency == nil)
            for latency in 1...100 {
                let job = try await f.running()
                var request = SettleRequest.answer(job)
                request.result?.latency = Int64(latency)
                _ = try await f.store.claims.settle(request)
            }
            let latency = try #require(try f.store.maintenance.statistics().latency)
            #expect([latency.p50, latency.p95, latency.p99] == [50, 95, 99])
        }
    }

    @Test func drained() async throws {
        try await withStore { f in
            func isDrained(_ queues: Set<String>? = nil, _ providers: Set<String> = ["local"]) throws -> Bool {
                try f.store.claims.isDrained(queues: queues, providers: providers)
            }
            #expect(try isDrained())
            let first = try await f.add { $0.queue = "q" }
            try await f.add { $0.after = [first] }
            #expect(try !isDrained() && isDrained(["other"]) && isDrained(nil, ["other"]))
            let job = try await f.one()
            #expect(try !isDrained())
            try await f.fail(job)
            #expect(try !isDrained())
            _ = try await f.store.jobs.retry(ids: [first])
            _ = try await f.complete(f.one())
            // What waited on it has yet to be told.
            #expect(try !isDrained())
            try await f.cascade()
            #expect(try !isDrained())
            _ = try await f.complete(f.one())
            #expect(try isDrained())
            try await f.add { $0.scheduledAt = f.clock.wall + 1_000 }
            #expect(try isDrained())
            try await f.store.jobs.pause(queue: "q")
            try await f.add { $0.queue = "q" }
            #expect(try isDrained())
        }
    }
}
