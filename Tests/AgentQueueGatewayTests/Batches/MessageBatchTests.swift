import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// Batches of Anthropic's form over the wire.
@Suite struct MessageBatchTests {
    private static let version = [("anthropic-version", "2023-06-01")]

    static func get(_ path: String) -> HTTPCall { HTTPCall(method: .GET, path: path, headers: version) }

    private static func request(_ id: String, _ text: String = "Hi", model: String = "local/m") -> String {
        #"{"custom_id":"\#(id)","params":{"model":"\#(model)","max_tokens":9,"messages":[{"role":"user","content":"\#(text)"}]}}"#
    }

    private static func creation(_ requests: String..., more headers: [(String, String)] = []) -> HTTPCall {
        HTTPCall(
            path: "/v1/messages/batches", headers: version + headers, body: #"{"requests":[\#(requests.joined(separator: ","))]}"#)
    }

    @Test func aBatchGoesFromItsBodyToItsResults() async throws {
        let (asked, gate) = (Gate(), Gate())
        let script = Script { request in
            guard request.text.contains("held") else { return Chat.whole }
            asked.open()
            var answer = Chat.whole
            answer.gate = gate
            return answer
        }
        var plan = GatewayPlan(script: script)
        plan.serve.concurrency = 1
        try await withGateway(plan) { gateway in
            let call = Self.creation(
                Self.request("one"), Self.request("wrong", model: "nobody/none"), Self.request("held", "held"), Self.request("last"))
            let made = try await call.answer(port: gateway.port)
            let batch = try made.json
            let id = try #require(batch["id"]?.string)
            #expect(made.status == 200 && id.hasPrefix("msgbatch_") && batch["type"] == "message_batch")
            #expect(batch["processing_status"] == "in_progress" && batch["results_url"] == .null && batch["ended_at"] == .null)
            #expect(batch["request_counts"]?["processing"] == 4 && batch["request_counts"]?["succeeded"] == 0)
            let path = "/v1/messages/batches/\(id)"
            #expect(try await Self.get("\(path)/results").answer(port: gateway.port).status == 404)
            #expect(try await HTTPCall(method: .DELETE, path: path, headers: Self.version).answer(port: gateway.port).status == 400)
            let store = gateway.queue.store
            try await within(.seconds(30), "the third is asked") { try await asked.wait() }
            let cancelling = try await HTTPCall(path: "\(path)/cancel").answer(port: gateway.port).json
            #expect(cancelling["processing_status"] == "canceling" && cancelling["cancel_initiated_at"] != .null)
            gate.open()
            try await until("the batch ends") { try store.clientBatches.find(id, key: 0)?.state.isFinal == true }
            let ended = try await Self.get(path).answer(port: gateway.port).json
            #expect(ended["processing_status"] == "ended" && ended["ended_at"] != .null)
            #expect(ended["request_counts"] == ["processing": 0, "succeeded": 2, "errored": 1, "canceled": 1, "expired": 0])
            let url = "http://127.0.0.1:\(gateway.port)\(path)/results"
            #expect(ended["results_url"]?.string == url)
            let answer = try await Self.get("\(path)/results").answer(port: gateway.port)
            #expect(answer["content-type"] == "application/x-jsonl" && answer.isWhole)
            let results = try answer.text.split(separator: "\n").map { try JSONValue.parse(String($0)) }
            #expect(results.map { $0["custom_id"] } == ["one", "wrong", "held", "last"])
            #expect(results.map { $0["result"]?["type"] } == ["succeeded", "errored", "succeeded", "canceled"])
            #expect(results[0]["result"]?["message"]?["content"]?.array?.first?["text"] == "Hello there")
            let error = try #require(results[1]["result"]?["error"])
            #expect(error["type"] == "error" && error["error"]?["type"] == "not_found_error")
            // Nobody lists what the batch itself keeps, or finds it by its id.
            #expect(try await Self.get("/v1/files").answer(port: gateway.port).json["data"] == [])
            #expect(try await Self.get("/v1/files/file_aq1").answer(port: gateway.port).status == 404)
            #expect(try await Self.get("/v1/batches/\(id)").answer(port: gateway.port).status == 404)
            let deletion = try await HTTPCall(method: .DELETE, path: path, headers: Self.version).answer(port: gateway.port)
            #expect(try deletion.json == ["id": .string(id), "type": "message_batch_deleted"])
            #expect(try await Self.get(path).answer(port: gateway.port).status == 404)
        }
    }

    @Test func pagesGoBothWays() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            var ids: [String] = []
            for index in 0..<3 {
                ids.append(try #require(try await Self.creation(Self.request("\(index)")).answer(port: gateway.port).json["id"]?.string))
            }
            let first = try await Self.get("/v1/messages/batches?limit=2").answer(port: gateway.port).json
            #expect(first["data"]?.array?.map { $0["id"]?.string } == [ids[2], ids[1]] && first["has_more"] == true)
            let rest = try await Self.get("/v1/messages/batches?limit=2&after_id=\(ids[1])").answer(port: gateway.port).json
            #expect(rest["data"]?.array?.map { $0["id"]?.string } == [ids[0]] && rest["has_more"] == false)
            let back = try await Self.get("/v1/messages/batches?limit=1&before_id=\(ids[0])").answer(port: gateway.port).json
            #expect(back["first_id"]?.string == ids[1] && back["has_more"] == true)
        }
    }

    @Test func theResultsAreWhereThePublicAddressSays() async throws {
        var plan = GatewayPlan(script: .always(Chat.whole))
        plan.serve.publicURL = "https://example.com/ai/"
        try await withGateway(plan) { gateway in
            let id = try #require(try await Self.creation(Self.request("a")).answer(port: gateway.port).json["id"]?.string)
            let store = gateway.queue.store
            try await until("the batch ends") { try store.clientBatches.find(id, key: 0)?.state.isFinal == true }
            let ended = try await Self.get("/ai/v1/messages/batches/\(id)").answer(port: gateway.port).json
            #expect(ended["results_url"]?.string == "https://example.com/ai/v1/messages/batches/\(id)/results")
        }
    }

    @Test func whatIsNoListOfRequestsIsRefusedAndLeavesNothing() async throws {
        try await withGateway { gateway in
            let long = String(repeating: "x", count: 300_000)
            let wrong = [
                "[]", "{}", #"{"requests":[]}"#, #"{"requests":[{"custom_id":"a b","params":{}}]}"#,
                #"{"requests":[\#(Self.request("a", long)),\#(Self.request("a"))]}"#, #"{"requests":[\#(Self.request("a", long))]"#,
            ]
            for body in wrong {
                let call = HTTPCall(path: "/v1/messages/batches", body: body)
                let answer = try await call.answer(port: gateway.port)
                #expect(answer.status == 400, "\(body.prefix(60))")
                #expect(try answer.json["error"]?["type"] == "invalid_request_error")
            }
            let store = gateway.queue.store
            for file in Int64(1)...6 { #expect(try store.files.piece(0, of: file) == nil) }
            #expect(try await Self.get("/v1/messages/batches").answer(port: gateway.port).json["data"] == [])
        }
    }

    @Test func aRetryFindsItsBatch() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let first = try await Self.creation(Self.request("a")).answer(port: gateway.port).json
            let retry = try await Self.creation(Self.request("a"), more: [("x-stainless-retry-count", "1")]).answer(port: gateway.port)
            #expect(try retry.json["id"] == first["id"] && retry["x-agent-queue-attached"] == "true")
            let other = try await Self.creation(Self.request("b"), more: [("x-stainless-retry-count", "1")]).answer(port: gateway.port)
            #expect(try other.json["id"] != first["id"])
        }
    }
}
