import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Glibc
import Testing

extension ReliabilityTests {
    /// An idle worker hears of work in another process.
    @Suite struct WakeTests {
        @Test func aCommitWakesAnIdleWorker() async throws {
            try await withScene(.echo) { scene in
                _ = try await scene.worker()
                var times: [Duration] = []
                for round in 1...20 {
                    let began = ContinuousClock.now
                    let id = try await scene.enqueue("\(round)")
                    try await scene.calls(round)
                    times.append(ContinuousClock.now - began)
                    try await scene.wait(for: id, .completed)
                }
                times.sort()
                print("wake: median \(times[10]), longest \(times[19])")
                #expect(times[10] < .milliseconds(250))
            }
        }

        /// What a ring that nobody hears costs: the enqueuer has another file mapped than the worker listens to.
        @Test func aLostRingCostsOneSafetyPoll() async throws {
            try await withScene(.echo) { scene in
                _ = try await scene.worker()
                // It serves, and listens.
                try await scene.wait(for: try await scene.enqueue("heard"), .completed)
                #expect(unlink(scene.database + "-bell") == 0)
                let deaf = try QueueStore(path: scene.database)
                defer { deaf.close() }
                for round in 2...4 {
                    let began = ContinuousClock.now
                    let id = try await deaf.jobs.enqueue(.asking("unheard \(round)")).id
                    try await scene.calls(round)
                    let time = ContinuousClock.now - began
                    #expect(time < .seconds(2))
                    try await scene.wait(for: id, .completed)
                }
            }
        }
    }
}
