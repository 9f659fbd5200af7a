import AgentQueue
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// What programs do to the queue itself, and with which key.
@Suite(.serialized) struct JobChangeTests {
    private static let line = #"{"prompt":"Hi","model":"local/m"}"#

    private func post(_ path: String, _ body: String = "", _ key: String? = nil, _ gateway: LiveGateway) async throws -> HTTPAnswer {
        let headers = [("content-type", "application/json")] + (key.map { [("x-api-key", $0)] } ?? [])
        return try await HTTPCall(path: path, headers: headers, body: body).answer(port: gateway.port)
    }

    @Test func aJobIsAddedAndItsReceiptReturned() async throws {
        try await withGateway(.always(Chat.whole), runsWorker: false) { gateway in
            let line = #"{"prompt":"Hi","model":"local/m","unique_key":"u"}"#
            let added = try await post("/api/jobs", line + "\n", nil, gateway)
            #expect(added.status == 201)
            #expect(try added.json == ["id": 1, "state": "available", "duplicate_of": .null])
            let again = try await post("/api/jobs", line, nil, gateway)
            #expect(again.status == 200)
            #expect(try again.json["duplicate_of"] == 1)
            #expect(try gateway.queue.store.jobs.get(1)?.queue == "api.local")
            for wrong in ["", "{}", "[1]", #"{"prompt":"Hi","model":"local/m","colour":1}"#, #"{"prompt":"Hi","after":[9]}"#] {
                #expect(try await post("/api/jobs", wrong, nil, gateway).status == 400, "\(wrong)")
            }
            #expect(try await post("/api/jobs?wait=long", Self.line, nil, gateway).status == 400)
        }
    }

    @Test func aClientMayWaitForTheEnd() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let answer = try await post("/api/jobs?wait=20s", Self.line, nil, gateway)
            #expect(answer.status == 200)
            #expect(try answer.json["state"] == "completed")
            #expect(try answer.json["result"]?["text"] == "Hello there")
        }
    }

    @Test func aWaitEndsInTimeAndTheJobStays() async throws {
        try await withGateway(.always(Chat.whole), runsWorker: false) { gateway in
            let answer = try await post("/api/jobs?wait=20ms", Self.line, nil, gateway)
            #expect(answer.status == 202)
            #expect(try answer.json["state"] == "available")
            #expect(try gateway.waiting == 0)
        }
    }

    @Test func aCancellationEndsAWaitAndIsRecorded() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true, runsWorker: false)) { gateway in
            let key = try await gateway.key("own", scopes: [.call, .operate])
            async let waits = post("/api/jobs?wait=20s", Self.line, key, gateway)
            try await until("the job is waited for") { try gateway.waiting == 1 && gateway.queue.store.jobs.get(1) != nil }
            let cancelled = try await post("/api/jobs/1/cancel", "", key, gateway)
            #expect(try cancelled.json["result"] == "changed")
            #expect(try await waits.json["state"] == "cancelled")
            #expect(try await post("/api/jobs/1/cancel", "", key, gateway).json["result"] == "unchanged")
            let retried = try await post("/api/jobs/1/retry", "", key, gateway)
            #expect(try retried.json["state"] == "available")
            let recorded = try gateway.queue.store.keys.audit(limit: 3)
            #expect(recorded.map(\.action) == ["job.retry", "job.cancel", "job.add"])
            #expect(recorded.allSatisfy { $0.actor == "own" && $0.subject == "job 1" })
        }
    }

    @Test func aCompletedJobIsAskedAnewOnlyIfThatIsAskedFor() async throws {
        try await withGateway(GatewayPlan(script: .always(Chat.whole))) { gateway in
            #expect(try await post("/api/jobs?wait=20s", Self.line, nil, gateway).status == 200)
            #expect(try await post("/api/jobs/1/retry", "", nil, gateway).json["result"] == "unchanged")
            #expect(try await post("/api/jobs/1/retry?again=perhaps", "", nil, gateway).status == 400)
            #expect(try await post("/api/jobs/1/retry?again=true", "", nil, gateway).json["result"] == "changed")
            let store = gateway.queue.store
            try await until("it is answered anew") { try store.jobs.get(1)?.state == .completed }
            #expect(gateway.upstream.requests.count == 2)
            #expect(try store.keys.audit(limit: 1).map(\.detail) == ["asked anew"])
        }
    }

    @Test func whatIsDoneToAResponseIsRecorded() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true, runsWorker: false)) { gateway in
            let key = try await gateway.key("own")
            let body = #"{"model":"local/m","input":"Hi","background":true}"#
            let id = try #require(try await post("/v1/responses", body, key, gateway).json["id"]?.string)
            #expect(try await post("/v1/responses/\(id)/cancel", "", key, gateway).json["status"] == "cancelled")
            #expect(try await post("/v1/responses/\(id)/cancel", "", key, gateway).status == 200)
            let deletion = HTTPCall(method: .DELETE, path: "/v1/responses/\(id)", headers: [("x-api-key", key)], body: "")
            #expect(try await deletion.answer(port: gateway.port).status == 200)
            let recorded = try gateway.queue.store.keys.audit(limit: 3)
            #expect(recorded.map(\.action) == ["job.delete", "job.cancel", "key.create"])
            #expect(recorded.prefix(2).allSatisfy { $0.actor == "own" && $0.subject == "job 1" })
        }
    }

    @Test func aKeyTouchesNothingOfOthers() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true, runsWorker: false)) { gateway in
            let own = try await gateway.key("own", scopes: [.call, .operate])
            let other = try await gateway.key("other", scopes: [.call, .operate])
            let theirs = #"{"prompt":"Hi","model":"local/m","unique_key":"u","batch":"b"}"#
            #expect(try await post("/api/jobs", theirs, other, gateway).status == 201)
            for action in ["cancel", "retry"] {
                #expect(try await post("/api/jobs/1/\(action)", "", own, gateway).status == 404)
            }
            let refused: [(members: String, status: Int)] = [
                (#""queue":"api.other""#, 403), (#""after":[1]"#, 400), (#""unique_key":"u""#, 422), (#""batch":"b""#, 403),
                (#""recall":2"#, 403), (#""namespace":"n""#, 403),
            ]
            for (members, status) in refused {
                let answer = try await post("/api/jobs", #"{"prompt":"Hi","model":"local/m",\#(members)}"#, own, gateway)
                #expect(answer.status == status, "\(members): \(answer.text)")
            }
            let batched = #"{"prompt":"Hi","model":"local/m","queue":"api.own.batch"}"#
            #expect(try await post("/api/jobs", batched, own, gateway).status == 201)
        }
    }
}
