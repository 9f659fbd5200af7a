import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueGateway

@Suite struct DeparturesTests {
    /// The client that sent the request has left, and one that asks for its response by its id reads on.
    @Test(arguments: [false, true])
    func nothingIsCancelledThatSomebodyLooksAt(_ isViewed: Bool) async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/queue.db")
            defer { store.close() }
            let server = try await store.gateway.register()
            let job = NewJob(
                kind: .generate, target: Target(provider: "local", model: "m"), body: "{}", digest: Array(repeating: 1, count: 32))
            let ticket = try await store.gateway.submit(
                GatewaySubmission(jobs: [job], key: 1, form: .responses, attach: Array(repeating: 2, count: 32), server: server))
            let departures = Departures(store, server: server, logger: .silent) { $0 == ticket.call && isViewed }
            departures.left(ticket.call, client: ticket.client, .cancel, isStreamed: true)
            departures.finish()
            await departures.run()
            #expect(try store.jobs.get(ticket.call)?.state == (isViewed ? .available : .cancelled))
            #expect(try store.gateway.call(of: ticket.call)?.lostAt != nil)
            try await store.gateway.unregister(server)
        }
    }
}
