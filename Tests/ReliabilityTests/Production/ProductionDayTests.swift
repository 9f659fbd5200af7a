import AgentQueueTestSupport
import Foundation
import Testing

extension ReliabilityTests {
    /// All that goes wrong in production, together. Neither a seed nor a repetition makes the same day: its moments are the machine's
    /// doing.
    @Suite struct ProductionDayTests {
        @Test(.enabled(if: !SmallDisk.isPossible, "root mounts a small disk without more ado")) func inANamespace() async throws {
            guard let (ending, output) = try await SmallDisk.runTestsInNamespace(filter: "ProductionDayTests") else { return }
            #expect(ending == .exit(0), "\(output)")
        }

        /// Where no disk can be mounted, the day has none that fills.
        @Test func everyAcknowledgedJobEndsOnceAndIsPaidForOnce() async throws {
            try await withProductionDay(lease: 4, growthMiB: 32) { day in
                try await day.answers(40)
                try await day.setClock(ahead: 0)
                try await day.kill(1)
                try await day.prune(olderThan: "10s")
                try await day.fillDisk()
                try await day.restart(2)
                try await day.prune(olderThan: "10s")
            }
        }
    }
}

/// A day of twenty minutes: an hour is 50 seconds.
@Suite(.serialized) struct LongProductionDayTests {
    private static let isLong = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] != nil

    @Test(.enabled(if: isLong), .timeLimit(.minutes(40))) func aWholeDay() async throws {
        try await withProductionDay(lease: 10, growthMiB: 12) { day in
            for hour in 0..<24 {
                let end = ContinuousClock.now + .seconds(50)
                try await Self.events(of: day, at: hour)
                // The day's length is part of the measure: nothing is waited for but the time.
                try await Task.sleep(until: end, clock: .continuous)
                try await day.prune(olderThan: "20s")
            }
        }
    }

    /// The day begins with a clock that is two hours ahead, as one set to local time is before NTP has been heard.
    private static func events(of day: ProductionDay, at hour: Int) async throws {
        switch hour {
        case 1: try await day.setClock(ahead: 0)
        case 2, 6, 11, 22: try await day.kill(1 + hour % 3)
        case 3, 9, 13: try await day.restart(1 + hour % 3)
        case 4: try await day.fillDisk()
        // A day ahead, and back to where it was not before.
        case 8: try await day.setClock(ahead: 86_400)
        case 10: try await day.setClock(ahead: 3_600)
        // Once more, and a worker is killed meanwhile, with answers that it could not store.
        case 14: try await day.fillDisk { try await day.kill(2, isDiskFull: true) }
        // A new version is installed.
        case 16: for index in 1...3 { try await day.restart(index) }
        // A storm.
        case 18: for index in 1...3 { try await day.kill(index) }
        case 20: try await day.setClock(ahead: 0)
        default: break
        }
    }
}

/// Runs a day of events and counts what has come of it. Its clock begins two hours ahead.
private func withProductionDay(lease: Int, growthMiB: Double, _ events: (ProductionDay) async throws -> Void) async throws {
    if SmallDisk.isPossible {
        try await SmallDisk.withDisk(mebibytes: 48) { try await withProductionDay($0, lease, growthMiB, events) }
    } else {
        print("production day without a full disk: mounting one takes root, or a user namespace")
        try await withProductionDay(nil, lease, growthMiB, events)
    }
}

private func withProductionDay(
    _ disk: SmallDisk?, _ lease: Int, _ growthMiB: Double, _ events: (ProductionDay) async throws -> Void
) async throws {
    let providers = DayProviders(seed: UInt64.random(in: 0 ... .max))
    let configuration = """
        worker: { lease: \(lease)s }
        cache: { enabled: false }
        breaker: { consecutive: 5, open_for: 1s }
        """
    let provider = ", limits: { rpm: 6000 } }\n  flaky: { kind: openai, base_url: \"$URL/flaky/v1\""
    try await withScene(
        providers.script, configuration: configuration, provider: provider, database: disk.map { $0.path + "/queue.db" }
    ) { scene in
        let clock = try await ShiftedClock.make(in: scene.folder)
        if clock == nil { print("production day without clock steps: they take a C compiler") }
        try clock?.set(ahead: 7_200)
        let day = ProductionDay(scene, providers, clock: clock, disk: disk, lease: Int64(lease) * 1_000)
        try await day.run { try await events(day) }
        let (ending, output) = try await scene.run("database", "check")
        #expect(ending == .exit(0), "\(output)")
        let census = DayCensus(day)
        print(census.figures)
        census.checkJobs()
        try census.checkCalls()
        census.checkUse(growthMiB: growthMiB)
    }
}
