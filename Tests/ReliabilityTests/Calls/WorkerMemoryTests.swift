import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Testing

extension ReliabilityTests {
    /// What a worker keeps of the calls that it has made.
    @Suite struct WorkerMemoryTests {
        private static let isLong = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] != nil

        /// A timer that outlived its call would keep 0.75 KB of it for ten minutes: 30 MB here.
        @Test(.enabled(if: isLong, "set AGENT_QUEUE_LONG_TESTS=1")) func doesNotGrowWithTheNumberOfCalls() async throws {
            try await withScene(.echo, configuration: "cache: { enabled: false }") { scene in
                let worker = try await scene.worker("--concurrency", "20")
                var sizes: [Int] = []
                for round in 0..<4 {
                    for part in 0..<10 {
                        _ = try await scene.store.jobs.enqueue((0..<2_000).map { .asking("\(round) \(part) \($0)") })
                    }
                    let count = (round + 1) * 20_000
                    try await until("\(count) jobs are done", within: .seconds(600)) {
                        try scene.store.jobs.lanes().reduce(0) { $0 + $1.count(.completed) } == count
                    }
                    sizes.append(try Self.anonymousKilobytes(of: worker.pid))
                }
                print("anonymous memory after each 20,000 calls: \(sizes) KB")
                #expect(sizes[3] - sizes[1] < 12_000, "\(sizes)")
            }
        }

        private static func anonymousKilobytes(of pid: pid_t) throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Anonymous:") })
            return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        }
    }
}
