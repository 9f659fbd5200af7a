import AgentQueueModel
import Testing

@testable import AgentQueueTestSupport

extension ReliabilityTests {
    /// The scripted batch server does what the pages of OpenAI and Anthropic say; otherwise what it proves would be worth nothing.
    @Suite struct BatchServerTests {
        private static func ask(
            _ server: BatchServer, _ method: String, _ path: String, _ body: String = "", type: String = "application/json"
        ) -> ScriptedAnswer {
            server.script.answer(
                RecordedRequest(
                    method: method, path: path,
                    headers: [("Host", "here:1"), ("Content-Type", type), ("Authorization", "Bearer k"), ("anthropic-version", "1")],
                    body: Array(body.utf8), connection: 1))
        }

        private static func json(_ answer: ScriptedAnswer) throws -> JSONValue { try JSONValue.parse(answer.body) }
        private static func lines(_ answer: ScriptedAnswer) throws -> [JSONValue] {
            try answer.body.split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0)) }
        }

        private static func upload(_ server: BatchServer, _ prompts: [String]) throws -> String {
            let lines = prompts.enumerated().map { number, prompt in
                #"{"custom_id":"i-\#(number)","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","#
                    + #""content":"\#(prompt)"}]}}"#
            }
            let form =
                "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n"
                + lines.joined(separator: "\n")
                + "\r\n--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--xyz--\r\n"
            let file = try json(ask(server, "POST", "/v1/files", form, type: "multipart/form-data; boundary=xyz"))
            #expect(file["filename"] == "in.jsonl")
            return try #require(file["id"]?.string)
        }

        private static func create(_ server: BatchServer, _ prompts: [String]) throws -> JSONValue {
            let file = try upload(server, prompts)
            let body =
                #"{"input_file_id":"\#(file)","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"agent_queue":"l"}}"#
            return try json(ask(server, "POST", "/v1/batches", body))
        }

        @Test func openAIsConversation() throws {
            let server = BatchServer()
            server.fail("b", .init(status: 400, type: "invalid_request_error", message: "no"))
            let batch = try Self.create(server, ["a", "b", "c"])
            #expect(batch["status"] == "validating")
            #expect(batch["metadata"] == ["agent_queue": "l"])
            let path = "/v1/batches/\(batch["id"]?.string ?? "")"
            #expect(try Self.json(Self.ask(server, "GET", path))["status"] == "in_progress")
            #expect(server.charges == [:])
            let ended = try Self.json(Self.ask(server, "GET", path))
            #expect(ended["status"] == "completed")
            #expect(ended["request_counts"] == ["total": 3, "completed": 2, "failed": 1])
            #expect(server.charges == ["a": 1, "c": 1])
            let output = try Self.lines(Self.ask(server, "GET", "/v1/files/\(ended["output_file_id"]?.string ?? "")/content"))
            #expect(Set(output.map { $0["custom_id"]?.string }) == ["i-0", "i-2"])
            let answers = output.map { $0["response"]?["body"]?["choices"]?.array?.first?["message"]?["content"]?.string }
            #expect(Set(answers) == ["echo a", "echo c"])
            let errors = try Self.lines(Self.ask(server, "GET", "/v1/files/\(ended["error_file_id"]?.string ?? "")/content"))
            #expect(errors.map { $0["response"]?["status_code"] } == [400])
            #expect(Self.ask(server, "DELETE", "/v1/files/\(ended["input_file_id"]?.string ?? "")").status == 200)
            #expect(server.files == 2)
            #expect(server.violations == [])
            #expect(server.steps == [.upload, .create, .poll, .poll, .results, .results, .deleteFile])
        }

        @Test func openAIsOtherEnds() throws {
            let server = BatchServer()
            server.plan(
                .init(polls: 1, done: 1, end: .expired), .init(polls: 1, end: .refused("line 3 is bad")), .init(polls: nil, done: 1))
            let ids = try (0..<3).map { try #require(try Self.create(server, ["a\($0)", "b\($0)"])["id"]?.string) }
            let expired = try Self.json(Self.ask(server, "GET", "/v1/batches/\(ids[0])"))
            #expect(expired["status"] == "expired")
            let rest = try Self.lines(Self.ask(server, "GET", "/v1/files/\(expired["error_file_id"]?.string ?? "")/content"))
            #expect(rest.map { $0["error"]?["code"] } == ["batch_expired"])
            #expect(rest.map { $0["response"] } == [.null])
            let refused = try Self.json(Self.ask(server, "GET", "/v1/batches/\(ids[1])"))
            #expect(refused["status"] == "failed")
            #expect(refused["errors"]?["data"]?.array?.first?["message"] == "line 3 is bad")
            #expect(refused["output_file_id"] == .null)
            for _ in 0..<5 { #expect(try Self.json(Self.ask(server, "GET", "/v1/batches/\(ids[2])"))["output_file_id"] == .null) }
            #expect(try Self.json(Self.ask(server, "POST", "/v1/batches/\(ids[2])/cancel"))["status"] == "cancelling")
            let cancelled = try Self.json(Self.ask(server, "GET", "/v1/batches/\(ids[2])"))
            #expect(cancelled["status"] == "cancelled")
            let left = try Self.lines(Self.ask(server, "GET", "/v1/files/\(cancelled["error_file_id"]?.string ?? "")/content"))
            #expect(left.map { $0["error"]?["code"] } == ["batch_cancelled"])
            #expect(server.charges == ["a0": 1, "a2": 1])
            #expect(Self.ask(server, "POST", "/v1/batches/\(ids[2])/cancel").status == 409)
        }

        @Test func listsComeInPages() throws {
            let server = BatchServer()
            let ids = try (0..<5).map { try Self.create(server, ["\($0)"])["id"]?.string }
            server.limitPages(to: 2)
            var seen: [String?] = []
            var after = ""
            repeat {
                let page = try Self.json(Self.ask(server, "GET", "/v1/batches?limit=100\(after)"))
                seen += (page["data"]?.array ?? []).map { $0["id"]?.string }
                after = page["has_more"] == true ? "&after=\(page["last_id"]?.string ?? "")" : ""
            } while !after.isEmpty
            #expect(seen == ids.reversed())
        }

        private static let two =
            #"{"requests":[{"custom_id":"x","params":{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"a"}]}},"#
            + #"{"custom_id":"y","params":{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"b"}]}]}}]}"#

        @Test func anthropicsConversation() throws {
            let server = BatchServer(plan: .init(polls: 1))
            server.plan(.init(polls: 1), .init(polls: 1, done: 1, end: .expired), .init(polls: nil))
            server.fail("b", .init(status: 500, type: "api_error", message: "oh"))
            let path = "/v1/messages/batches"
            let batch = try Self.json(Self.ask(server, "POST", path, Self.two))
            #expect(batch["processing_status"] == "in_progress")
            #expect(batch["results_url"] == .null)
            #expect(Self.ask(server, "GET", "\(path)/\(batch["id"]?.string ?? "")/results").status == 404)
            let ended = try Self.json(Self.ask(server, "GET", "\(path)/\(batch["id"]?.string ?? "")"))
            #expect(ended["processing_status"] == "ended")
            #expect(ended["request_counts"] == ["processing": 0, "succeeded": 1, "errored": 1, "canceled": 0, "expired": 0])
            let url = try #require(ended["results_url"]?.string)
            #expect(url == "http://here:1\(path)/\(batch["id"]?.string ?? "")/results")
            let results = try Self.lines(Self.ask(server, "GET", String(url.dropFirst("http://here:1".count))))
            #expect(Set(results.map { $0["result"]?["type"]?.string }) == ["succeeded", "errored"])
            #expect(server.charges == ["a": 1])

            let late = try Self.json(Self.ask(server, "POST", path, Self.two))
            #expect(
                try Self.json(Self.ask(server, "GET", "\(path)/\(late["id"]?.string ?? "")"))["request_counts"]
                    == ["processing": 0, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 1])
            let third = "\(path)/\(try Self.json(Self.ask(server, "POST", path, Self.two))["id"]?.string ?? "")"
            #expect(try Self.json(Self.ask(server, "POST", "\(third)/cancel"))["processing_status"] == "canceling")
            #expect(try Self.json(Self.ask(server, "GET", third))["processing_status"] == "ended")
            #expect(try Self.lines(Self.ask(server, "GET", "\(third)/results")).map { $0["result"]?["type"] } == ["canceled", "canceled"])
            let list = try Self.json(Self.ask(server, "GET", "\(path)?limit=2"))
            #expect(list["data"]?.array?.count == 2)
            #expect(list["has_more"] == true)
            let rest = try Self.json(Self.ask(server, "GET", "\(path)?limit=2&after_id=\(list["last_id"]?.string ?? "")"))
            #expect(rest["data"]?.array?.map { $0["id"] } == [batch["id"]])
            #expect(server.violations == [])
        }

        @Test func whatIsSentTwiceIsChargedTwice() throws {
            let server = BatchServer(plan: .init(polls: nil))
            for _ in 0..<2 { _ = try Self.create(server, ["a"]) }
            _ = Self.ask(server, "POST", "/v1/chat/completions", #"{"model":"m","messages":[{"role":"user","content":"a"}]}"#)
            #expect(server.charges == ["a": 1])
            server.endAll()
            #expect(server.charges == ["a": 3])
            #expect(server.liveCharges == ["a": 1])
        }

        @Test func whatARealServerRefusesIsNoted() throws {
            let server = BatchServer()
            #expect(Self.ask(server, "POST", "/v1/files", "--xyz\r\nnonsense", type: "multipart/form-data; boundary=xyz").status == 400)
            #expect(Self.ask(server, "POST", "/v1/files", "{}").status == 400)
            #expect(Self.ask(server, "POST", "/v1/messages/batches", #"{"requests":[]}"#).status == 400)
            _ = Self.ask(server, "POST", "/v1/messages/batches", Self.two.replacing(#""y""#, with: #""x""#))
            _ = Self.ask(server, "POST", "/v1/messages/batches", Self.two.replacing(#""y""#, with: #""a b""#))
            #expect(server.violations.count == 5, "\(server.violations)")
        }

        @Test func faultsAndHolds() async throws {
            let server = BatchServer()
            server.fail(.upload, .status(500), .lost, .lostAnswer)
            #expect(Self.ask(server, "POST", "/v1/files").status == 500)
            guard case .droppedUnanswered = Self.ask(server, "POST", "/v1/files").ending else {
                Issue.record("not dropped")
                return
            }
            #expect(server.files == 0 && server.steps.isEmpty)
            let before = server.hold(.create, .before)
            let after = server.hold(.poll, .after)
            let file = try Self.upload(BatchServer(), ["a"])
            #expect(file == "file-1")
            let form =
                "--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x\r\nContent-Disposition: form-data; "
                + "name=\"file\"; filename=\"f\"\r\n\r\n"
                + #"{"custom_id":"i","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"content":"a"}]}}"# + "\r\n--x--"
            guard case .droppedUnanswered = Self.ask(server, "POST", "/v1/files", form, type: "multipart/form-data; boundary=x").ending
            else {
                Issue.record("not dropped")
                return
            }
            #expect(server.files == 1)
            let body = #"{"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h"}"#
            #expect(Self.ask(server, "POST", "/v1/batches", body).gate != nil)
            try await before.waitUntilReached()
            #expect(server.batches.isEmpty)
            before.proceed()
            before.proceed()
            #expect(server.batches.count == 1)
            let id = server.batches[0].id
            let held = Self.ask(server, "GET", "/v1/batches/\(id)")
            #expect(after.isReached && after.step == .poll)
            #expect(server.batches[0].polls == 1)
            after.proceed()
            try await held.gate?.wait()
            #expect(Self.ask(server, "GET", "/v1/batches/\(id)").gate == nil)
            #expect(server.violations == [])
        }
    }
}
