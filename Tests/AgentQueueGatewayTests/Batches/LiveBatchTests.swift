import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// Batches of OpenAI's form over the wire.
@Suite struct LiveBatchTests {
    static func get(_ path: String, _ headers: [(String, String)] = []) -> HTTPCall {
        HTTPCall(method: .GET, path: path, headers: headers)
    }

    static func line(_ id: String, _ text: String = "Hi", model: String = "local/m", url: String = "/v1/chat/completions") -> String {
        #"{"custom_id":"\#(id)","method":"POST","url":"\#(url)","body":{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]}}"#
            + "\n"
    }

    /// Uploads lines and returns the file's id.
    static func upload(_ lines: String, _ gateway: LiveGateway, _ headers: [(String, String)] = []) async throws -> String {
        let body =
            "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; "
            + "name=\"file\"; filename=\"in.jsonl\"\r\n\r\n\(lines)\r\n--b--\r\n"
        let call = HTTPCall(path: "/v1/files", headers: headers + [("content-type", "multipart/form-data; boundary=b")], body: body)
        return try #require(try await call.answer(port: gateway.port).json["id"]?.string)
    }

    static func creation(_ file: String, _ headers: [(String, String)] = [], more: String = "") -> HTTPCall {
        HTTPCall(
            path: "/v1/batches", headers: headers,
            body: #"{"input_file_id":"\#(file)","endpoint":"/v1/chat/completions","completion_window":"24h"\#(more)}"#)
    }

    /// Waits for the end of a batch.
    static func ended(_ path: String, _ gateway: LiveGateway) async throws -> JSONValue {
        let store = gateway.queue.store
        let id = String(path.split(separator: "/").last ?? "")
        try await until("the batch ends") { try store.clientBatches.find(id, key: 0)?.state.isFinal == true }
        return try await get(path).answer(port: gateway.port).json
    }

    /// Answers each request as the text of its message says: `400` refuses it.
    private static let script = Script { request in
        request.text.contains("400")
            ? ScriptedAnswer(400, json: #"{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"bad"}}"#)
            : Chat.whole
    }

    @Test func aBatchGoesFromItsFileToItsResults() async throws {
        try await withGateway(GatewayPlan(script: Self.script)) { gateway in
            let file = try await Self.upload(Self.line("b") + Self.line("bad", "400") + Self.line("a"), gateway)
            let made = try await Self.creation(file, more: #","metadata":{"of":"test"}"#).answer(port: gateway.port)
            let batch = try made.json
            let id = try #require(batch["id"]?.string)
            #expect(made.status == 200 && batch["object"] == "batch" && id.hasPrefix("batch_") && batch["input_file_id"]?.string == file)
            #expect(batch["metadata"] == ["of": "test"] && batch["output_file_id"] == .null && batch["endpoint"] == "/v1/chat/completions")
            let ended = try await Self.ended("/v1/batches/\(id)", gateway)
            #expect(ended["status"] == "completed" && ended["completed_at"] != .null)
            #expect(ended["request_counts"] == ["total": 3, "completed": 2, "failed": 1])
            let output = try #require(ended["output_file_id"]?.string)
            let lines = try await Self.get("/v1/files/\(output)/content").answer(port: gateway.port).text.split(separator: "\n")
            let results = try lines.map { try JSONValue.parse(String($0)) }
            #expect(results.map { $0["custom_id"] } == ["b", "a"])
            let answer = try JSONValue.parse(Chat.wholeText)
            #expect(
                results.allSatisfy { $0["response"]?["status_code"] == 200 && $0["error"] == .null && $0["response"]?["body"] == answer })
            let errors = try #require(ended["error_file_id"]?.string)
            let failed = try JSONValue.parse(try await Self.get("/v1/files/\(errors)/content").answer(port: gateway.port).text)
            #expect(failed["custom_id"] == "bad" && failed["response"]?["status_code"] == 400)
            #expect(failed["response"]?["body"]?["error"]?["message"] == "No.")
            let shown = try await Self.get("/v1/files/\(output)").answer(port: gateway.port).json
            #expect(shown["purpose"] == "batch_output" && shown["expires_at"] != .null)
            // All of it at once, or since a mark.
            let all = try await Self.get("/v1/batches/\(id)/results").answer(port: gateway.port)
            #expect(all.text.split(separator: "\n").count == 3 && all["x-agent-queue-incomplete"] == nil && all.isWhole)
            let since = try await Self.get("/v1/batches/\(id)/results?after=0").answer(port: gateway.port)
            let mark = try #require(since["x-agent-queue-mark"])
            #expect(since.text.split(separator: "\n").count == 3 && since["x-agent-queue-incomplete"] == nil)
            #expect(try await Self.get("/v1/batches/\(id)/results?after=\(mark)").answer(port: gateway.port).text.isEmpty)
        }
    }

    @Test func wrongLinesFailTheBatchBeforeAnythingIsAsked() async throws {
        try await withGateway(GatewayPlan(script: Self.script)) { gateway in
            let lines =
                Self.line("a") + "{\n" + Self.line("a") + Self.line("c", model: "nobody/none") + Self.line("d", url: "/v1/responses")
            let made = try await Self.creation(try await Self.upload(lines, gateway)).answer(port: gateway.port).json
            let ended = try await Self.ended("/v1/batches/\(try #require(made["id"]?.string))", gateway)
            #expect(ended["status"] == "failed" && ended["failed_at"] != .null && ended["output_file_id"] == .null)
            let errors = try #require(ended["errors"]?["data"]?.array)
            #expect(errors.map { $0["line"] } == [2, 3, 4, 5])
            #expect(errors.map { $0["code"] } == ["invalid_json_line", "duplicate_custom_id", "model_not_found", "invalid_url"])
            // The lists of models may have been asked for.
            #expect(gateway.upstream.requests.allSatisfy { $0.method == "GET" })
        }
    }

    @Test func whatCannotBeABatchIsRefused() async throws {
        try await withGateway { gateway in
            let file = try await Self.upload("x", gateway)
            let calls: [(HTTPCall, Int)] = [
                (Self.creation("file-aq99"), 404), (Self.creation("nonsense"), 404), (HTTPCall(path: "/v1/batches", body: "{}"), 400),
                (Self.creation(file, more: #","metadata":1"#), 400), (Self.get("/v1/batches?limit=0"), 400),
                (Self.get("/v1/batches?after=batch_none"), 404), (Self.get("/v1/batches/batch_none"), 404),
                (HTTPCall(path: "/v1/batches/batch_none/cancel"), 404), (Self.get("/v1/batches/batch_none/results"), 404),
            ]
            for (call, status) in calls {
                let answer = try await call.answer(port: gateway.port)
                #expect(answer.status == status, "\(call.path) \(call.body)")
                #expect(try answer.json["error"]?["type"] == "invalid_request_error")
            }
            #expect(try await Self.get("/v1/batches").answer(port: gateway.port).json["data"] == [])
        }
    }

    @Test func aRetryFindsItsBatch() async throws {
        try await withGateway(GatewayPlan(script: Self.script)) { gateway in
            let file = try await Self.upload(Self.line("a"), gateway)
            func made(_ headers: [(String, String)] = [], more: String = "") async throws -> HTTPAnswer {
                try await Self.creation(file, headers, more: more).answer(port: gateway.port)
            }
            let first = try await made()
            let retry = try await made([("x-stainless-retry-count", "1")])
            #expect(try retry.json["id"] == first.json["id"] && retry["x-agent-queue-attached"] == "true")
            let second = try await made()
            #expect(try second.json["id"] != first.json["id"] && second["x-agent-queue-attached"] == nil)
            let named = try await made([("idempotency-key", "k")])
            let again = try await made([("idempotency-key", "k")])
            #expect(try again.json["id"] == named.json["id"] && again["x-agent-queue-attached"] == "true")
            let other = try await made([("idempotency-key", "k")], more: #","metadata":{}"#)
            #expect(other.status == 422 && other["x-should-retry"] == "false")
        }
    }

    @Test func aListIsWalkedToItsEnd() async throws {
        try await withGateway(GatewayPlan(script: Self.script)) { gateway in
            let file = try await Self.upload(Self.line("a"), gateway)
            var ids: [String] = []
            for _ in 0..<3 {
                ids.append(try #require(try await Self.creation(file).answer(port: gateway.port).json["id"]?.string))
            }
            let first = try await Self.get("/v1/batches?limit=2").answer(port: gateway.port).json
            #expect(first["data"]?.array?.map { $0["id"]?.string } == [ids[2], ids[1]] && first["has_more"] == true)
            #expect(first["last_id"]?.string == ids[1] && first["object"] == "list")
            let rest = try await Self.get("/v1/batches?limit=2&after=\(ids[1])").answer(port: gateway.port).json
            #expect(rest["data"]?.array?.map { $0["id"]?.string } == [ids[0]] && rest["has_more"] == false)
            #expect(try await MessageBatchTests.get("/v1/messages/batches").answer(port: gateway.port).json["data"] == [])
        }
    }

    @Test func aCancelledBatchKeepsWhatItHas() async throws {
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
            let file = try await Self.upload(Self.line("a") + Self.line("b", "held") + Self.line("c"), gateway)
            let id = try #require(try await Self.creation(file).answer(port: gateway.port).json["id"]?.string)
            let store = gateway.queue.store
            try await within(.seconds(30), "the second is asked") { try await asked.wait() }
            try await until("the first has ended") { try store.clientBatches.find(id, key: 0)?.counts.succeeded == 1 }
            let part = try await Self.get("/v1/batches/\(id)/results").answer(port: gateway.port)
            #expect(part["x-agent-queue-incomplete"] == "true" && part.text.split(separator: "\n").count == 1)
            let cancel = HTTPCall(path: "/v1/batches/\(id)/cancel")
            let cancelling = try await cancel.answer(port: gateway.port)
            #expect(try cancelling.status == 200 && cancelling.json["status"] == "cancelling")
            let again = try await cancel.answer(port: gateway.port)
            #expect(try again.status == 200 && again.json["cancelling_at"] == cancelling.json["cancelling_at"])
            gate.open()
            let ended = try await Self.ended("/v1/batches/\(id)", gateway)
            #expect(ended["status"] == "cancelled" && ended["cancelled_at"] != .null)
            #expect(ended["request_counts"] == ["total": 3, "completed": 2, "failed": 1])
            let errors = try #require(ended["error_file_id"]?.string)
            let text = try await Self.get("/v1/files/\(errors)/content").answer(port: gateway.port).text
            #expect(text.contains(#""custom_id":"c","response":null,"error":{"code":"batch_cancelled""#))
            #expect(gateway.upstream.requests.count == 2)
        }
    }

    @Test func aBatchIsItsKeysAlone() async throws {
        try await withGateway(GatewayPlan(script: Self.script, asksForKeys: true)) { gateway in
            let mine = [("authorization", "Bearer \(try await gateway.key("mine", scopes: [.batch]))")]
            let other = [("x-api-key", try await gateway.key("other", scopes: [.batch]))]
            let caller = [("x-api-key", try await gateway.key("caller", scopes: [.call]))]
            let file = try await Self.upload(Self.line("a"), gateway, mine)
            #expect(try await Self.creation(file, other).answer(port: gateway.port).status == 404)
            #expect(try await Self.creation(file, caller).answer(port: gateway.port).status == 403)
            let id = try #require(try await Self.creation(file, mine).answer(port: gateway.port).json["id"]?.string)
            for path in ["/v1/batches/\(id)", "/v1/batches/\(id)/results"] {
                #expect(try await Self.get(path, mine).answer(port: gateway.port).status == 200)
                #expect(try await Self.get(path, other).answer(port: gateway.port).status == 404)
                #expect(try await Self.get(path, caller).answer(port: gateway.port).status == 403)
            }
            #expect(try await HTTPCall(path: "/v1/batches/\(id)/cancel", headers: other).answer(port: gateway.port).status == 404)
            #expect(try await Self.get("/v1/batches", other).answer(port: gateway.port).json["data"] == [])
            let jobs = try gateway.queue.store.jobs.list(JobFilter(), limit: 10, before: nil)
            #expect(jobs.allSatisfy { $0.queue == "api.mine.batch" && $0.priority == 7 })
        }
    }
}
