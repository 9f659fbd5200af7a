import AgentQueueModel
import AgentQueueSettings
import AgentQueueTestSupport
import Crypto
import Foundation
import Testing

@testable import AgentQueue

@Suite struct NotificationTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private func notice(_ body: JSONValue = ["kind": "job", "id": 7, "state": "completed"]) -> JobNotification {
        JobNotification(id: 3, kind: .job, subject: 7, notification: "n", body: body.text, attempts: 1, nextAt: 0, createdAt: 1_000)
    }

    /// What becomes of one attempt.
    private func send(
        _ notice: JobNotification, environment: [String: String] = [:], now: Int64 = 1_614_265_330_000,
        _ configure: (inout NotificationSettings) -> Void
    ) async throws -> NotificationOutcome {
        var settings = Settings(database: "/nowhere")
        var notification = NotificationSettings()
        // Longer than a busy machine takes.
        notification.timeout = .seconds(300)
        configure(&notification)
        settings.notifications["n"] = notification
        let environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let set = NotificationSet(settings, environment: environment) { now }
        let outcome = await set.send(notice)
        try await set.shutdown()
        return outcome
    }

    // MARK: Webhooks

    @Test func `the signature is that of Standard Webhooks' own example`() throws {
        let signature = try #require(WebhookSignature(secret: Self.secret))
        let header = signature.header(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", body: #"{"test": 2432232314}"#)
        #expect(header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        for bad in ["", "whsec_", "whsec_!!", "not base64"] { #expect(WebhookSignature(secret: bad) == nil) }
    }

    @Test func `a webhook is posted, signed`() async throws {
        try await ScriptedServer.withServer(Script { _ in ScriptedAnswer(204, body: []) }) { server in
            let body: JSONValue = ["kind": "job", "id": 7, "state": "completed", "custom_id": "naïve \"$(x)\" \u{1}"]
            let outcome = try await send(notice(body), environment: ["HOOK": Self.secret]) {
                $0.url = "\(server.url)/hook/?a=b"
                $0.secretEnv = "HOOK"
            }
            #expect(outcome == .delivered)
            let request = try #require(server.requests.first)
            #expect(request.method == "POST")
            #expect(request.path == "/hook/?a=b")
            #expect(request["content-type"] == "application/json")
            #expect(request["user-agent"]?.hasPrefix("agent-queue/") == true)
            #expect(request["webhook-id"] == "notice-3-1000")
            #expect(request["webhook-timestamp"] == "1614265330")
            #expect(try JSONValue.parse(request.text) == body)
            let key = SymmetricKey(data: Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!)
            let code = try #require(request["webhook-signature"].flatMap { Data(base64Encoded: String($0.dropFirst(3))) })
            #expect(
                HMAC<SHA256>.isValidAuthenticationCode(
                    code, authenticating: Data("notice-3-1000.1614265330.\(request.text)".utf8), using: key))
        }
    }

    @Test func `a webhook's own body is JSON, whatever the names hold`() async throws {
        let name = "a \"quoted\" name,\n\\ {{id}} </b>"
        let batch: JSONValue = [
            "kind": "batch", "id": 7, "name": .string(name), "state": "failed", "jobs": 5, "completed": 3, "cancelled": 1, "discarded": 1,
            "cost_usd": 0.25,
        ]
        let run: JSONValue = ["kind": "run", "id": 8, "name": "content", "state": "completed", "calls": 12, "completed": 12, "failed": 0]
        let job: JSONValue = ["kind": "job", "id": 9, "state": "discarded", "custom_id": .null, "queue": "q"]
        let sentences = [
            "batch \(name) failed: 3 of 5 jobs completed, 1 failed, 1 cancelled", "run 8 (content) completed: 12 of 12 calls completed",
            "job 9 failed",
        ]
        try await ScriptedServer.withServer(Script { _ in ScriptedAnswer(200, body: []) }) { server in
            for (index, (body, sentence)) in zip([batch, run, job], sentences).enumerated() {
                let outcome = try await send(notice(body), environment: ["HOOK": Self.secret]) {
                    $0.url = server.url
                    $0.secretEnv = "HOOK"
                    $0.body = #"{"text": "{{summary}}", "is": "{{ status }}/{{state}}", "cost": {{cost_usd}}, "q": "{{queue}}"}"#
                }
                #expect(outcome == .delivered)
                let request = server.requests[index]
                let posted = try JSONValue.parse(request.text)
                #expect(posted["text"]?.string == sentence)
                #expect(posted["cost"] == (index == 0 ? 0.25 : .null))
                #expect(posted["q"] == (index == 2 ? "q" : ""))
                if index == 2 { #expect(posted["is"] == "failed/discarded") }
                // What is posted is what is signed.
                let key = SymmetricKey(data: Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!)
                let code = try #require(request["webhook-signature"].flatMap { Data(base64Encoded: String($0.dropFirst(3))) })
                #expect(
                    HMAC<SHA256>.isValidAuthenticationCode(
                        code, authenticating: Data("notice-3-1000.1614265330.\(request.text)".utf8), using: key))
            }
        }
    }

    @Test func `answers decide what comes next`() async throws {
        let answers: [(ScriptedAnswer, NotificationOutcome)] = [
            (ScriptedAnswer(200, json: "{}"), .delivered), (ScriptedAnswer(299, body: []), .delivered),
            (ScriptedAnswer(410, body: []), .refused("the receiver answered 410: it wants no more of these")),
            (ScriptedAnswer(500, body: []), .failed("the receiver answered 500")),
            (ScriptedAnswer(302, headers: [("location", "http://127.0.0.1:1/")], body: []), .failed("the receiver answered 302")),
            (ScriptedAnswer(429, headers: [("retry-after", "7")], body: []), .failed("the receiver answered 429", wait: 7_000)),
            (ScriptedAnswer(503, headers: [("retry-after", "99999999")], body: []), .failed("the receiver answered 503", wait: 86_400_000)),
        ]
        for (answer, expected) in answers {
            try await ScriptedServer.withServer(Script { _ in answer }) { server in
                let outcome = try await send(notice()) { $0.url = server.url }
                #expect(outcome == expected)
                #expect(server.requests.first?["webhook-signature"] == nil)
            }
        }
    }

    @Test func `a webhook that hangs ends with its time, and one whose worker stops is broken off`() async throws {
        try await ScriptedServer.withServer(Script { _ in .hang }) { server in
            let outcome = try await within(.seconds(120), "the attempt ends") {
                try await send(notice()) {
                    $0.url = server.url
                    $0.timeout = .seconds(1)
                }
            }
            #expect(outcome == .unanswered("the receiver had not answered after 1s"))
            let task = Task { try await send(notice()) { $0.url = server.url } }
            try await within(.seconds(120), "the request arrives") { try await server.waitForRequests(2) }
            task.cancel()
            #expect(try await task.value == .broken)
        }
    }

    @Test func `without its secret a webhook is not sent`() async throws {
        try await ScriptedServer.withServer(Script { _ in ScriptedAnswer(200, body: []) }) { server in
            for value in [[:], ["HOOK": "not a secret"], ["HOOK": "whsec_"]] {
                let outcome = try await send(notice(), environment: value) {
                    $0.url = server.url
                    $0.secretEnv = "HOOK"
                }
                guard case .failed(let reason, wait: nil) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(!reason.contains("not a secret"))
            }
            #expect(server.requests.isEmpty)
        }
    }

    // MARK: Commands

    @Test func `a command is given what ended as data, whatever it holds`() async throws {
        try await withFolder { folder in
            let hostile = "$(touch \(folder)/pwned); `touch \(folder)/pwned` \"'\n; touch \(folder)/pwned #"
            let body: JSONValue = ["kind": "batch", "id": 7, "name": .string(hostile), "state": "completed"]
            var notice = notice(body)
            notice.kind = .batch
            let outcome = try await send(notice, environment: ["OUT": folder, "AGENT_WORKER_SUPERVISED": "1"]) {
                $0.command =
                    #"cat > "$OUT/body"; printf '%s|' "$AGENT_QUEUE_KIND" "$AGENT_QUEUE_ID" "$AGENT_QUEUE_STATE" "#
                    + #""$AGENT_QUEUE_NAME" "$AGENT_QUEUE_NOTICE" "$AGENT_WORKER_SUPERVISED" > "$OUT/environment""#
            }
            #expect(outcome == .delivered)
            #expect(try JSONValue.parse(try String(contentsOfFile: folder + "/body", encoding: .utf8)) == body)
            #expect(
                try String(contentsOfFile: folder + "/environment", encoding: .utf8) == "batch|7|completed|\(hostile)|notice-3-1000||")
            #expect(!FileManager.default.fileExists(atPath: folder + "/pwned"))
        }
    }

    @Test(arguments: [
        ("exit 3", "the command ended with 3"), ("kill -9 $$", "the command was ended by signal 9"),
        ("nosuchprogram", "the command ended with 127"),
    ])
    func `a command that fails is said to`(command: String, message: String) async throws {
        #expect(try await send(notice()) { $0.command = command } == .failed(message))
    }

    @Test func `a command that reads nothing is told`() async throws {
        let body: JSONValue = ["filler": .string(String(repeating: "x", count: 1 << 20))]
        #expect(try await send(notice(body)) { $0.command = "exec <&-; true" } == .delivered)
    }

    @Test func `a command that hangs is ended with all that it started`() async throws {
        try await withFolder { folder in
            let outcome = try await within(.seconds(120), "the attempt ends") {
                try await send(notice(), environment: ["OUT": folder]) {
                    $0.command = #"trap '' TERM; sh -c 'echo $$ > "$OUT/pid"; exec sleep 600' & wait; wait; sleep 600"#
                    $0.timeout = .seconds(1)
                }
            }
            #expect(outcome == .unanswered("the command had not ended after 1s"))
            let pid = try #require(
                Int32(try String(contentsOfFile: folder + "/pid", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
            try await until("what it started has ended", within: .seconds(120)) {
                !FileManager.default.fileExists(atPath: "/proc/\(pid)/cwd")
            }
        }
    }
}
