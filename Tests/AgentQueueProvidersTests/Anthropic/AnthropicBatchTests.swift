import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct AnthropicBatchTests {
    private func body(_ members: JSONValue = [:]) -> String {
        let usual: JSONValue = [
            "id": "msgbatch_01", "type": "message_batch", "processing_status": "in_progress",
            "request_counts": ["processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0],
            "created_at": "2026-11-22T08:00:00Z", "expires_at": "2026-11-23T08:00:00Z", "ended_at": .null, "results_url": .null,
        ]
        let replaced = members.members ?? []
        return JSONValue.object((usual.members ?? []).filter { member in !replaced.contains { $0.key == member.key } } + replaced).text
    }

    private func item(_ id: String, _ text: String = "Hi", _ members: JSONValue = [:]) -> BatchItem {
        BatchItem(id: id, request: AnthropicSample.asked(text, members))
    }

    @Test func aClientsOwnMessageIsSentAsItWasWritten() async throws {
        try await withAnthropic(answer: ScriptedAnswer(json: body())) { provider, server in
            var own = item("a")
            own.request.native = NativeRequest(
                form: .messages, body: "{\"model\":\"x\",\n\"max_tokens\":9,\"stream\":false,\"messages\":[],\"odd\":1.0}")
            _ = try await provider.submitBatch([own], label: "l", timeout: 10_000).get()
            #expect(
                server.requests[0].text
                    == #"{"requests":[{"custom_id":"a","params":{"model":"claude-sonnet-5", "max_tokens":9,"messages":[],"odd":1.0}}]}"#)
            // A batch has one set of headers.
            own.request.native?.betas = ["b-1"]
            #expect(reason(provider.batchSize(of: own))?.wasSent == false)
        }
    }

    @Test func messagesAreSentAsABatch() async throws {
        try await withAnthropic(key: "sk-ant-12345678", answer: ScriptedAnswer(json: body())) { provider, server in
            let items = [item("job-1"), item("job_2", "Ho", ["max_tokens": 9, "stream": true])]
            let batch = try await provider.submitBatch(items, label: "l", timeout: 10_000).get()
            #expect(
                batch
                    == RemoteBatch(
                        id: "msgbatch_01", status: .inProgress, count: 2, createdAt: 1_795_334_400_000, expiresAt: 1_795_420_800_000))
            try #require(server.requests.map { "\($0.method) \($0.path)" } == ["POST /v1/messages/batches"])
            let sent = server.requests[0]
            #expect(sent["x-api-key"] == "sk-ant-12345678")
            #expect(sent["anthropic-version"] == "2023-06-01")
            #expect(sent["content-type"] == "application/json")
            #expect(
                sent.text
                    == #"{"requests":[{"custom_id":"job-1","params":{"model":"claude-sonnet-5","max_tokens":4096,"messages":"#
                    + #"[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}},{"custom_id":"job_2","params":"#
                    + #"{"model":"claude-sonnet-5","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"Ho"}]}]}}]}"#
            )
            let sizes = try items.reduce(0) { try $0 + provider.batchSize(of: $1).get() }
            // Of the commas that the sizes count, the last is not there.
            #expect(sizes - 1 + #"{"requests":[]}"#.utf8.count == sent.body.count)
        }
    }

    @Test func samplingTakesTheOlderVersion() async throws {
        for (members, expected) in [(["temperature": 0.5] as JSONValue, "2023-06-01"), ([:], "2026-10-21")] {
            try await withAnthropic(version: "2026-10-21", answers: .always(ScriptedAnswer(json: body()))) { provider, server in
                _ = try await provider.submitBatch([item("a"), item("b", "x", members)], label: "l", timeout: 10_000).get()
                #expect(server.requests[0]["anthropic-version"] == expected)
            }
        }
    }

    @Test func whatCannotBeSentIsNot() async throws {
        try await withAnthropic(answer: .hang) { provider, server in
            let unsendable = [
                item("a b"), item("a", "x", ["max_tokens": 0]), item("a", "x", ["speed": "fast"]), item("a", "x", ["n": 2]),
                BatchItem(id: "a", request: embedding("x")),
            ]
            for item in unsendable {
                #expect(reason(provider.batchSize(of: item))?.wasSent == false)
                #expect(reason(await provider.submitBatch([item], label: "l", timeout: 10_000))?.wasSent == false)
            }
            #expect(reason(await provider.submitBatch([], label: "l", timeout: 10_000))?.wasSent == false)
            #expect(server.requests.isEmpty)
        }
    }

    @Test(arguments: [
        (ScriptedAnswer(json: "{}", ending: .droppedUnanswered), FailureClass.retryable, true),
        (ScriptedAnswer(200, json: "{"), .invalidReply, true), (ScriptedAnswer(200, json: "{}"), .invalidReply, true),
        (ScriptedAnswer(500, json: "{}"), .retryable, true), (ScriptedAnswer(529, json: "{}"), .overloaded, false),
        (ScriptedAnswer(413, json: #"{"type":"error","error":{"type":"request_too_large","message":"x"}}"#), .permanent, false),
        (
            ScriptedAnswer(
                400, json: #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#),
            .quotaExhausted, false
        ),
    ])
    func aBatchMayBeThereAllTheSame(answer: ScriptedAnswer, expected: FailureClass, isMaybePaid: Bool) async throws {
        try await withAnthropic(answer: answer) { provider, _ in
            let failure = try #require(reason(await provider.submitBatch([item("a")], label: "l", timeout: 10_000)))
            #expect(failure.failure == expected)
            #expect(failure.isMaybePaid == isMaybePaid)
            #expect(failure.calls == 0)
        }
    }

    @Test func aSubmitEndsInTimeAndWhenItIsCancelled() async throws {
        try await withAnthropic(answer: .hang) { provider, server in
            let late = try #require(reason(await provider.submitBatch([item("a")], label: "l", timeout: 5_000)))
            #expect(late.failure == .timedOut && late.isMaybePaid)
            let task = Task { await provider.submitBatch([item("a")], label: "l", timeout: 30_000) }
            try await server.waitForRequests(2)
            task.cancel()
            let cancelled = try #require(reason(await task.value))
            #expect(cancelled.failure == .cancelled && cancelled.isMaybePaid)
        }
    }

    @Test func neitherKeyNorPromptIsInAnErrorText() async throws {
        let prompt = "The merger of Acme and Bolt is planned for the third of May."
        for count in [1, 1_001] {
            let script = Script { request in
                let words = "Bad: \(request["x-api-key"] ?? "") \(request.text.prefix(2_000))"
                return ScriptedAnswer(
                    400, json: JSONValue.object([.init("error", ["type": "invalid_request_error", "message": .string(words)])]).text)
            }
            try await withAnthropic(key: "sk-ant-0123456789abcdef", answers: script) { provider, _ in
                let items = (0..<count).map { item("job-\($0)", prompt) }
                let failure = try #require(reason(await provider.submitBatch(items, label: "l", timeout: 30_000)))
                #expect(failure.failure == .permanent)
                #expect(failure.message.contains("answered 400 (invalid_request_error)"))
                for secret in ["sk-ant", "0123456789", "merger", "Acme", "third of"] { #expect(!failure.message.contains(secret)) }
            }
        }
    }

    @Test(arguments: [("in_progress", RemoteBatch.Status.inProgress), ("canceling", .inProgress), ("ended", .ended)])
    func statusesAreRead(status: String, expected: RemoteBatch.Status) async throws {
        let answer = ScriptedAnswer(json: body(["processing_status": .string(status)]))
        try await withAnthropic(answer: answer) { provider, server in
            let batch = try await provider.batch("msgbatch_01", timeout: 10_000).get()
            #expect(batch.status == expected)
            #expect(batch.sources == (expected == .ended ? ["\(server.url)/v1/messages/batches/msgbatch_01/results"] : []))
            #expect(server.requests.map { "\($0.method) \($0.path)" } == ["GET /v1/messages/batches/msgbatch_01"])
            await provider.forgetBatch(batch, timeout: 10_000)
            #expect(server.requests.count == 1)
        }
    }

    @Test func aBatchIsGivenUp() async throws {
        try await withAnthropic(answer: ScriptedAnswer(json: body(["processing_status": "canceling"]))) { provider, server in
            let asked = try await provider.cancelBatch("msgbatch_01", timeout: 10_000).get()
            #expect(asked.status == .inProgress)
            #expect(server.requests.map { "\($0.method) \($0.path)" } == ["POST /v1/messages/batches/msgbatch_01/cancel"])
        }
        let ended = body(["processing_status": "ended"])
        let script = Script { $0.method == "POST" ? ScriptedAnswer(400, json: "{}") : ScriptedAnswer(json: ended) }
        try await withAnthropic(answers: script) { provider, _ in
            let asked = try await provider.cancelBatch("msgbatch_01", timeout: 10_000).get()
            #expect(asked.status == .ended)
        }
    }

    @Test func batchesAreFoundByCountAndTime() async throws {
        func listed(_ id: String, _ time: String, _ count: Int64) throws -> JSONValue {
            try JSONValue.parse(
                body([
                    "id": .string(id), "created_at": .string(time),
                    "request_counts": ["processing": 0, "succeeded": .integer(count), "errored": 1],
                ]))
        }
        let first = try [listed("b1", "2026-11-22T09:00:00Z", 2), listed("b2", "2026-11-22T08:30:00Z", 5)]
        let second = try [listed("b3", "2026-11-22T08:00:00.2Z", 2), listed("b4", "2026-11-22T07:00:00Z", 2)]
        let third = try [listed("b5", "2026-11-22T06:00:00Z", 2)]
        @Sendable func page(_ list: [JSONValue]) -> ScriptedAnswer {
            ScriptedAnswer(json: JSONValue.object([.init("data", .array(list)), .init("has_more", true)]).text)
        }
        let script = Script { request in
            switch request.path {
            case "/v1/messages/batches?limit=100": page(first)
            case "/v1/messages/batches?limit=100&after_id=b2": page(second)
            case "/v1/messages/batches?limit=100&after_id=b4": page(third)
            default: ScriptedAnswer(500, json: "{}")
            }
        }
        try await withAnthropic(answers: script) { provider, server in
            let found = try await provider.findBatches(label: "l", count: 3, since: 1_795_334_400_500, timeout: 10_000).get()
            #expect(found.map(\.id) == ["b1", "b3"])
            #expect(found.map(\.isCertain) == [false, false])
            #expect(server.requests.count == 3)
            let failure = await provider.findBatches(label: "l", count: 3, since: 0, timeout: 10_000)
            #expect(reason(failure)?.failure == .retryable)
        }
    }

    // MARK: - Results

    private let lines = [
        #"{"custom_id":"a","result":{"type":"succeeded","message":\#(AnthropicSample.hello)}}"#,
        #"{"custom_id":"b","result":{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error","message":"secret"},"request_id":"req_9"}}}"#,
        #"{"custom_id":"c","result":{"type":"errored","error":{"type":"error","error":{"type":"overloaded_error","message":"secret"}}}}"#,
        #"{"custom_id":"d","result":{"type":"errored","error":{"type":"api_error","message":"secret"}}}"#,
        #"{"custom_id":"e","result":{"type":"canceled"}}"#, #"{"custom_id":"f","result":{"type":"expired"}}"#,
        #"{"custom_id":"g","result":{"type":"brand_new"}}"#,
        #"{"custom_id":"h","result":{"type":"succeeded","message":{"content":[],"stop_reason":"refusal","#
            + #""stop_details":{"type":"refusal","explanation":"secret"},"usage":{"input_tokens":5,"output_tokens":1}}}}"#,
        #"{"custom_id":"i","result":{"type":"succeeded","message":{}}}"#, #"{"custom_id":"j","result":{"type":"succeeded","mess"#,
    ]

    @Test func everyKindOfResultIsRead() async throws {
        let answer = ScriptedAnswer(
            headers: [("content-type", "application/x-jsonl")], body: Array(lines.joined(separator: "\n").utf8) + [10], chunked: true)
        try await withAnthropic(key: "sk-ant-12345678", answer: answer) { provider, server in
            let batch = RemoteBatch(id: "b1", status: .ended, createdAt: 0, sources: ["\(server.url)/v1/messages/batches/b1/results?x=1"])
            let slices = Slices()
            let ending = try await provider.readResults(of: batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(ending == nil)
            #expect(server.requests.map { "\($0.method) \($0.path)" } == ["GET /v1/messages/batches/b1/results?x=1"])
            #expect(server.requests[0]["x-api-key"] == "sk-ant-12345678")
            let reply = try #require(slices["a"]?.reply)
            #expect(reply.text == "Hello")
            #expect(reply.calls == 1)
            #expect(reply.usage == Usage(inputTokens: 1_112, outputTokens: 3, cacheReadTokens: 1_000, cacheWriteTokens: 100))
            let classes = slices.all.dropFirst().map { $0.outcome.failure?.failure }
            #expect(
                classes == [
                    .permanent, .overloaded, .retryable, .cancelled, .expired, .invalidReply, .refused, .invalidReply, .invalidReply,
                ])
            // Errors, and what never came to its turn, are not charged for.
            #expect(slices.all.dropFirst().map { $0.outcome.failure?.calls } == [0, 0, 0, 0, 0, 1, 1, 1, 1])
            #expect(slices["b"]?.failure?.requestID == "req_9")
            #expect(slices["h"]?.failure?.usage.inputTokens == 5)
            #expect(slices.all.allSatisfy { $0.outcome.failure?.message.contains("secret") != true })
            #expect(slices.all.filter { $0.remark == "secret" }.map(\.id) == ["b", "c", "d", "h"])
            let told = provider.outcome(of: slices.all[1], to: AnthropicSample.request).failure?.message
            #expect(told == "\(server.url) answered a request of the batch with an error (invalid_request_error): secret")
        }
    }

    @Test func whatCameBeforeACutIsHandedOn() async throws {
        let bytes = Array(lines[..<3].joined(separator: "\n").utf8)
        try await withAnthropic(answer: ScriptedAnswer(body: bytes, ending: .dropped(afterBytes: bytes.count - 5))) { provider, server in
            let slices = Slices()
            let batch = RemoteBatch(id: "b/1", status: .ended, createdAt: 0)
            let failure = try await provider.readResults(of: batch, kind: .generate, timeout: 10_000) { slices.take($0) }
            #expect(failure?.failure == .retryable && failure?.isMaybePaid == false)
            #expect(slices.all.map(\.id) == ["a", "b"])
            #expect(server.requests.map(\.path) == ["/v1/messages/batches/b%2F1/results"])
        }
    }

    @Test func resultsThatAreGoneAreAFailure() async throws {
        let answer = ScriptedAnswer(404, json: #"{"type":"error","error":{"type":"not_found_error","message":"archived"}}"#)
        try await withAnthropic(answer: answer) { provider, server in
            let batch = RemoteBatch(id: "b", status: .ended, createdAt: 0)
            let failure = try await provider.readResults(of: batch, kind: .generate, timeout: 10_000) { _ in Issue.record("a slice") }
            #expect(failure == ModelFailure(.permanent, "\(server.url) answered 404 (not_found_error): archived"))
        }
    }

    @Test func theKeyGoesToTheServersOwnAddressesAlone() async throws {
        try await withAnthropic("https://user:pass@Api.Example.com:443/proxy/v1?k=1", key: "sk") { provider in
            let usual = "https://api.example.com/proxy/v1/messages/batches/b/results?k=1"
            let hostile = [
                nil, "", "https://evil.com/x", "http://api.example.com/x", "https://api.example.com.evil.com/x",
                "https://api.example.com@evil.com/x", "https://api.example.com:8443/x", "//evil.com/x", "ftp://api.example.com/x",
                "https://evil.com\\@api.example.com/x", "https://api.example.com\r\nx: y/", "https://evil.com#@api.example.com/x",
                "https://evil.com?@api.example.com/x", "https://me@api.example.com/x", "api.example.com/x",
            ]
            for address in hostile { #expect(provider.resultsAddress(address, of: "b") == usual, "\(address ?? "nil")") }
            #expect(provider.resultsAddress("https://API.example.com/v9/r", of: "b") == "https://api.example.com/v9/r?k=1")
            #expect(provider.resultsAddress("https://api.example.com/r?s=2", of: "b") == "https://api.example.com/r?s=2")
            #expect(provider.resultsAddress("/v1/r", of: "b") == "https://api.example.com/v1/r?k=1")
        }
        try await withAnthropic(answer: ScriptedAnswer(body: [])) { provider, server in
            let batch = RemoteBatch(id: "b", status: .ended, createdAt: 0, sources: ["http://127.0.0.1:1/stolen"])
            let ending = try await provider.readResults(of: batch, kind: .generate, timeout: 10_000) { _ in }
            #expect(ending == nil)
            #expect(server.requests.map(\.path) == ["/v1/messages/batches/b/results"])
        }
    }
}
