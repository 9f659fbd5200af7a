import AgentQueue
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// What programs see of the queue itself, and with which key.
@Suite(.serialized) struct JobRoutesTests {
    private func get(_ path: String, _ key: String? = nil, _ gateway: LiveGateway) async throws -> HTTPAnswer {
        try await HTTPCall(method: .GET, path: path, headers: key.map { [("x-api-key", $0)] } ?? []).answer(port: gateway.port)
    }

    @discardableResult
    private func add(_ gateway: LiveGateway, queue: String, tags: [String] = []) async throws -> Int64 {
        var draft = JobDraft()
        (draft.prompt, draft.queue, draft.tags, draft.model) = ("Hi", queue, tags, "local/m")
        let job = try draft.validated(in: gateway.queue.settings.intakeContext(now: gateway.queue.store.clock.wall()))
        return try await gateway.queue.store.jobs.enqueue(job).id
    }

    private func number(_ value: JSONValue) -> Int64? { Int64(value.text) }

    private func ids(_ answer: HTTPAnswer) throws -> [Int64] {
        try #require(answer.json["jobs"]?.array).compactMap { $0["id"].flatMap(number) }
    }

    @Test func jobsAreListedInPagesAndFiltered() async throws {
        try await withGateway(.always(Chat.whole), runsWorker: false) { gateway in
            var added: [Int64] = []
            for number in 0..<13 { added.append(try await add(gateway, queue: number < 3 ? "small" : "large", tags: ["n\(number)"])) }
            let all = try await get("/api/jobs", nil, gateway)
            #expect(all.status == 200)
            #expect(try ids(all) == added.reversed())
            #expect(try all.json["next_before"] == .null)
            let first = try await get("/api/jobs?limit=12", nil, gateway)
            #expect(try ids(first) == Array(added.reversed().prefix(12)))
            let next = try #require(try first.json["next_before"].flatMap(number))
            #expect(try ids(await get("/api/jobs?limit=12&before=\(next)", nil, gateway)) == [added[0]])
            #expect(try ids(await get("/api/jobs?queue=small&state=available,running", nil, gateway)).count == 3)
            #expect(try ids(await get("/api/jobs?tag=n4&tag=n5", nil, gateway)).count == 2)
            #expect(try ids(await get("/api/jobs?state=failed", nil, gateway)).isEmpty)
            for query in ["state=lost", "limit=0", "limit=101", "model=m", "since=soon", "before=x", "metadata=a"] {
                #expect(try await get("/api/jobs?\(query)", nil, gateway).status == 400, "\(query)")
            }
            #expect(try await get("/api/jobs?queue=none", nil, gateway).status == 404)
        }
    }

    @Test func aJobIsShownAsTheCommandLineShowsIt() async throws {
        try await withGateway(.always(Chat.whole), runsWorker: false) { gateway in
            let before = try await add(gateway, queue: "q")
            let id = try await add(gateway, queue: "q")
            let shown = try await get("/api/jobs/\(id)", nil, gateway).json
            #expect(shown["id"] == .integer(id))
            #expect(shown["timeline"]?.array?.isEmpty == false)
            #expect(shown["lane"]?["ahead"] == 1)
            #expect(before < id)
            for path in ["/api/jobs/99", "/api/jobs/x"] { #expect(try await get(path, nil, gateway).status == 404) }
        }
    }

    @Test func aKeySeesItsOwnJobsAndNoOthers() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true, runsWorker: false)) { gateway in
            let own = try await gateway.key("own", scopes: [.read, .call])
            let all = try await gateway.key("all", scopes: [.readAll])
            let mine = try await add(gateway, queue: "api.own")
            let batched = try await add(gateway, queue: "api.own.batch")
            let other = try await add(gateway, queue: "api.other")
            #expect(try ids(await get("/api/jobs", own, gateway)) == [batched, mine])
            #expect(try ids(await get("/api/jobs", all, gateway)) == [other, batched, mine])
            #expect(try await get("/api/jobs/\(mine)", own, gateway).status == 200)
            #expect(try await get("/api/jobs/\(other)", own, gateway).status == 404)
            #expect(try await get("/api/jobs/\(other)", all, gateway).status == 200)
            #expect(try await get("/api/jobs?queue=api.other", own, gateway).status == 404)
            let figures = try await get("/api/stats", own, gateway).json
            #expect(figures["states"]?["available"] == 2)
            #expect(figures["providers"] == nil)
            #expect(try await get("/api/stats", all, gateway).json["states"]?["available"] == 3)
        }
    }

    @Test func aKeySeesItself() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true, runsWorker: false)) { gateway in
            let key = try await gateway.key("laptop")
            let shown = try await get("/api/keys/self", key, gateway)
            #expect(try shown.json["name"] == "laptop")
            #expect(try shown.json["scopes"] == ["call"])
            #expect(!shown.text.contains(key))
        }
    }

    @Test func runsAreListedAndShownToWhoMaySeeAll() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true, runsWorker: false)) { gateway in
            let all = try await gateway.key("all", scopes: [.readAll])
            let own = try await gateway.key("own", scopes: [.read])
            #expect(try await get("/api/runs", all, gateway).json == ["runs": [], "next_before": .null])
            let new = NewRun(
                name: "review", digest: [UInt8](repeating: 1, count: 32), definition: "{}", inputs: ["text": "tides"], options: RunOptions()
            )
            let run = try await gateway.queue.store.runs.start(new).id
            let listed = try await get("/api/runs?state=running&limit=1", all, gateway)
            #expect(try listed.json["runs"]?.array?.map { $0["id"] } == [.integer(run)])
            #expect(try await get("/api/runs?state=completed", all, gateway).json["runs"] == [])
            let shown = try await get("/api/runs/\(run)", all, gateway)
            #expect(try shown.json["inputs"] == ["text": "tides"])
            #expect(try await get("/api/runs/99", all, gateway).status == 404)
            #expect(try await get("/api/runs?state=lost", all, gateway).status == 400)
            #expect(try await get("/api/runs/\(run)", own, gateway).status == 403)
        }
    }
}
