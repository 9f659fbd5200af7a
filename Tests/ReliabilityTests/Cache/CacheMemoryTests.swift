import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// What the cache of a worker process takes of the machine.
    @Suite struct CacheMemoryTests {
        /// 70 MiB of answers, as many as a full cache holds and some more.
        private static let entries = 17_920
        private static let replyBytes = 4_096
        /// What the cache may take, in bytes: what it holds and a quarter of it. (72 to 74 MiB were measured.)
        private static let most = 80 << 20
        private static let cache = "cache: { max_entries: 1000000, max_bytes: 64MiB, warm_on_start: true }"

        /// A worker that loads nothing is what one with a full cache is compared with: the program's own pages, of a debug build some
        /// 50 MB, are not the cache's.
        @Test func aFullCacheIsNotMuchMoreThanWhatItHolds() async throws {
            var empty = 0
            try await withScene(.echo, configuration: Self.cache.replacing("true", with: "false")) { scene in
                try await Self.fill(scene.store)
                let worker = try await scene.worker()
                for number in 0..<200 { try await scene.enqueue("new \(number)") }
                try await scene.waitForEnds(Self.entries + 200)
                let resident = try Self.resident(worker.pid)
                #expect(resident < 70 << 20)
                empty = resident
            }
            try await withScene(.echo, configuration: Self.cache) { scene in
                try await Self.fill(scene.store)
                #expect(try scene.store.cache.statistics().bytes >= 70 << 20)
                let worker = try await scene.worker()
                try await until("the cache is loaded", within: .seconds(60)) { try Self.resident(worker.pid) > 100 << 20 }
                for number in 0..<200 { try await scene.enqueue("question \(number)") }
                for number in 0..<200 { try await scene.enqueue("new \(number)") }
                try await scene.waitForEnds(Self.entries + 400)
                let (resident, most) = (try Self.resident(worker.pid) - empty, try Self.resident(worker.pid, "VmHWM") - empty)
                print("cache: \(resident >> 20) MiB for a full cache of 64 MiB, \(most >> 20) at most, beside \(empty >> 20) MiB")
                #expect(resident > 60 << 20, "it has not been filled")
                #expect(most < Self.most)
            }
        }

        /// Answers jobs so that their replies are in the cache: as a worker does, but for the calls.
        private static func fill(_ store: QueueStore) async throws {
            let worker = try await store.claims.registerWorker()
            let request = ClaimRequest(
                worker: worker.id, queues: nil, providers: ["scripted"], slots: 500, lease: 60_000, isIdle: true)
            for start in stride(from: 0, to: entries, by: 2_560) {
                _ = try await store.jobs.enqueue((start..<start + 2_560).map { .asking("question \($0)") })
                while true {
                    let jobs = try await store.claims.claim(request).jobs
                    guard !jobs.isEmpty else { break }
                    try await withThrowingTaskGroup { group in
                        for job in jobs { group.addTask { _ = try await store.claims.settle(answer(job)) } }
                        try await group.waitForAll()
                    }
                }
            }
            try await store.claims.unregisterWorker(worker.id)
        }

        private static func answer(_ job: ClaimedJob) -> SettleRequest {
            let text = String(repeating: "\(job.id) ", count: replyBytes / ("\(job.id)".utf8.count + 1) + 1)
            let result = JobResult(
                reply: ["text": .string(text), "finish_reason": "stop"], usage: Usage(), cost: 0, answeredBy: .provider,
                target: job.target.description, latency: 1)
            return SettleRequest(
                job: job, settlement: Settlement(state: .completed), result: result,
                cache: CacheWrite(digest: job.digest, timeToLive: 3_600_000))
        }

        /// Bytes that a process has in memory.
        private static func resident(_ pid: pid_t, _ figure: String = "VmRSS") throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(figure):") })
            return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
        }
    }
}
