import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Testing

extension ReliabilityTests {
    /// Eight processes that all write as fast as they can.
    @Suite struct ContentionTests {
        private static var seconds: Int {
            let environment = ProcessInfo.processInfo.environment
            return environment["CI"] == "true" || environment["AGENT_QUEUE_LONG_TESTS"] != nil ? 20 : 8
        }

        @Test func noneFailsAndNoneStarves() async throws {
            try await withScene(.hang) { scene in
                let processes = try (0..<8).map { _ in
                    scene.add(
                        try ChildProcess(
                            .bench, ["contend", scene.database, "--seconds", "\(Self.seconds)", "--on-go"], holdsInput: true))
                }
                for process in processes { try await process.waitForOutput("ready") }
                for process in processes { process.endInput() }
                var rounds: [Int] = []
                var longest = 0.0
                var p999 = 0.0
                for process in processes {
                    let (ending, output) = try await process.endOfOutput(within: .seconds(Self.seconds + 60))
                    #expect(ending == .exit(0), "\(output)")
                    let figures = try JSONValue.parse(String(try #require(output.split(separator: "\n").last)))
                    #expect(figures["errors"]?.int == 0, "\(figures["first_error"]?.string ?? "")")
                    rounds.append(try #require(figures["rounds"]?.int))
                    longest = max(longest, try #require(figures["max_ms"]?.number))
                    p999 = max(p999, try #require(figures["p999_ms"]?.number))
                }
                let (least, most) = try #require(rounds.min().flatMap { least in rounds.max().map { (least, $0) } })
                print("contention: \(rounds) rounds, p99.9 \(p999) ms, longest write \(longest) ms")
                #expect(least > 0)
                #expect(Double(most) < 5 * Double(least))
                #expect(longest < 5_000)
                // Each round took one job in and one out.
                #expect(try scene.store.jobs.lanes().map { $0.count(.completed) } == [rounds.reduce(0, +)])
                #expect(try scene.store.maintenance.workers().isEmpty)
            }
        }
    }
}
