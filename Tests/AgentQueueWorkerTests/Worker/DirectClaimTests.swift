import AgentQueueModel
import AgentQueueTestSupport
import Synchronization
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// Jobs that are claimed in the transaction that adds them.
@Suite struct DirectClaimTests {
    private func submission(_ bench: Bench) -> GatewaySubmission {
        let request = ModelRequest(
            kind: .generate, target: Target(provider: "local", model: "m"), body: ["messages": [["role": "user", "content": "Hi"]]])
        var job = NewJob(
            kind: .generate, target: request.target, body: request.storedBody, digest: request.digest(identity: bench.provider.identity))
        job.useCache = false
        return GatewaySubmission(
            jobs: [job], key: 0, form: .chat, attach: Array(repeating: 1, count: 32), server: bench.registration.id)
    }

    @Test func suchAJobTakesASlotAndFreesIt() async throws {
        func configure(_ configuration: inout WorkerConfiguration) { configuration.concurrency = 1 }
        let provider = ScriptedProvider.talking({ _, _ in [] }, reply: { _ in .reply(ModelReply("Hello")) })
        try await withBench(provider, configure) { bench in
            let worker = bench.worker()
            #expect(worker.beginDirectClaim() == nil)
            let running = Task { try await worker.run() }
            let slots = Mutex<[ClaimRequest]>([])
            try await until("the worker has a free slot") {
                guard let slot = worker.beginDirectClaim() else { return false }
                slots.withLock { $0.append(slot) }
                return true
            }
            // The slot is taken from here on.
            #expect(worker.beginDirectClaim() == nil)
            let taken = slots.withLock { $0.first }
            let slot = try #require(taken)
            let (ticket, claimed) = try await bench.store.gateway.submit(submission(bench), claiming: slot)
            #expect(claimed.map(\.id) == [ticket.call])
            worker.endDirectClaim(claimed)
            try await until("the job is completed") { try bench.store.jobs.states(of: [ticket.call])[ticket.call] == .completed }
            try await until("the slot is free again") {
                guard worker.beginDirectClaim() != nil else { return false }
                worker.endDirectClaim([])
                return true
            }
            worker.beginShutdown()
            #expect(worker.beginDirectClaim() == nil)
            try await running.value
        }
    }
}
