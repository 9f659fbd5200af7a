import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct OpenAIBatchTests {
    @Test func chatsAreUploadedAsAFileAndMadeABatch() async throws {
        try await withBatches(key: "sk-12345678", answers: takesBatches) { provider, server in
            let items = [item("job-1"), item("job_2", "line\r\nbreak", ["max_tokens": 7, "sample": 3, "stream": true])]
            let batch = try await provider.submitBatch(items, label: "aq-7_x", timeout: 10_000).get()
            #expect(
                batch
                    == RemoteBatch(id: "batch_1", status: .inProgress, createdAt: 1_795_000_000_000, expiresAt: 1_795_086_400_000))
            try #require(server.requests.map { "\($0.method) \($0.path)" } == ["POST /v1/files", "POST /v1/batches"])
            let sent = parts(server.requests[0])
            #expect(Set(sent.keys) == ["purpose", "file"])
            #expect(sent["purpose"]?.content == "batch")
            #expect(sent["file"]?.headers.contains(#"; filename="aq-7_x.jsonl""#) == true)
            let lines = (sent["file"]?.content ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            #expect(
                lines == [
                    #"{"custom_id":"job-1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":"#
                        + #"[{"role":"user","content":"How are you today?"}]}}"#,
                    #"{"custom_id":"job_2","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":"#
                        + #"[{"role":"user","content":"line\r\nbreak"}],"max_completion_tokens":7}}"#, "",
                ])
            #expect(
                server.requests[1].text
                    == #"{"input_file_id":"file-in","endpoint":"/v1/chat/completions","completion_window":"24h","#
                    + #""metadata":{"agent_queue":"aq-7_x"}}"#)
            #expect(server.requests.allSatisfy { $0["authorization"] == "Bearer sk-12345678" })
            #expect(server.requests[1]["content-type"] == "application/json")
            // What it said of each item's size is what was sent.
            let sizes = try items.map { try provider.batchSize(of: $0).get() }
            #expect(sizes == lines.prefix(2).map { $0.utf8.count + 1 })
        }
    }

    @Test func aClientsOwnRequestIsALineAsItWasWritten() async throws {
        try await withBatches(answers: takesBatches) { provider, server in
            var own = item("a")
            own.request.native = NativeRequest(form: .chat, body: "{ \"model\":\"x\",\n \"extra\":1.50, \"stream\":true}")
            var other = item("b", "Hi")
            other.request.native = NativeRequest(form: .messages, body: "{}")
            _ = try await provider.submitBatch([own, other], label: "l", timeout: 10_000).get()
            #expect(
                parts(server.requests[0])["file"]?.content
                    == #"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{ "model":"m",  "extra":1.50}}"# + "\n"
                    + #"{"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":"#
                    + #"[{"role":"user","content":"Hi"}]}}"# + "\n")
            // What only another form can say is not sent in this one.
            other.request.native?.isRequired = true
            #expect(reason(provider.batchSize(of: other))?.wasSent == false)
            // The server's name of the limit is known to be another.
            own.request = ModelRequest(kind: .generate, target: own.request.target, body: ["messages": [], "max_tokens": 9])
            own.request.native = NativeRequest(form: .chat, body: #"{"model":"x","messages":[],"max_tokens":9}"#)
            let size = try provider.batchSize(of: own).get()
            #expect(
                size
                    == #"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[],"max_completion_tokens":9}}"#
                    .utf8.count + 1)
        }
    }

    @Test func largeFilesArriveWhole() async throws {
        try await withBatches(answers: takesBatches) { provider, server in
            let text = String(repeating: "0123456789abcdef", count: 1 << 16)
            let items = (0..<5).map { item("job-\($0)", text) }
            _ = try await provider.submitBatch(items, label: "large", timeout: 30_000).get()
            let lines = try #require(parts(server.requests[0])["file"]?.content).split(separator: "\n")
            try #require(lines.count == 5)
            for (number, line) in lines.enumerated() {
                let value = try JSONValue.parse(String(line))
                #expect(value["custom_id"]?.string == "job-\(number)")
                #expect(value["body"]?["messages"]?.array?.first?["content"]?.string == text)
            }
        }
    }

    @Test func embeddingsGoToTheirEndpoint() async throws {
        try await withBatches(query: "?v=2", answers: Script { takeBatches($0.withoutQuery) }) { provider, server in
            let items = [
                BatchItem(id: "a", request: embedding("x", "yy", options: ["dimensions": 8])),
                BatchItem(id: "b", request: embedding("z")),
            ]
            _ = try await provider.submitBatch(items, label: "l", timeout: 10_000).get()
            #expect(server.requests.map(\.path) == ["/v1/files?v=2", "/v1/batches?v=2"])
            #expect(
                parts(server.requests[0])["file"]?.content
                    == #"{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":"#
                    + #"{"model":"m","input":["x","yy"],"encoding_format":"base64","dimensions":8}}"# + "\n"
                    + #"{"custom_id":"b","method":"POST","url":"/v1/embeddings","body":"#
                    + #"{"model":"m","input":["z"],"encoding_format":"base64"}}"# + "\n")
            #expect(try JSONValue.parse(server.requests[1].body)["endpoint"] == "/v1/embeddings")
        }
    }

    @Test func modelsOfTheResponsesAPIAreSentToIt() async throws {
        try await withBatches(api: .responses, answers: takesBatches) { provider, server in
            _ = try await provider.submitBatch([item("a", "Hi", ["max_tokens": 9])], label: "l", timeout: 10_000).get()
            #expect(
                parts(server.requests[0])["file"]?.content
                    == #"{"custom_id":"a","method":"POST","url":"/v1/responses","body":{"model":"m","input":"#
                    + #"[{"role":"user","content":"Hi"}],"max_output_tokens":9,"store":false}}"# + "\n")
            #expect(try JSONValue.parse(server.requests[1].body)["endpoint"] == "/v1/responses")
            #expect(reason(provider.batchSize(of: item("a", "Hi", ["seed": 1])))?.wasSent == false)
        }
    }

    @Test func whatALiveAnswerHasTaughtHoldsForBatches() async throws {
        let script = Script { request in
            guard request.path == "/v1/chat/completions" else { return takeBatches(request) }
            return ScriptedAnswer(404, json: #"{"error":{"message":"This model is only supported in v1/responses"}}"#)
        }
        try await withBatches(answers: script) { provider, server in
            provider.quirks.remember(ChatForm(), for: "m")
            _ = try await provider.submitBatch([item("a", "Hi", ["max_tokens": 9])], label: "l", timeout: 10_000).get()
            #expect(parts(server.requests[0])["file"]?.content.contains(#""max_tokens":9"#) == true)
        }
    }

    @Test func whatCannotBeSentIsNot() async throws {
        let capacity = BatchCapacity(items: 2, bytes: 1_000)
        try await withBatches(capacity: capacity, maxEmbedInputs: 2, answers: takesBatches) { provider, server in
            let long = String(repeating: "x", count: 1_000)
            let unsendable = [
                item(""), item("ä"), item("a b"), item(String(repeating: "a", count: 65)), item("a", long),
                item("a", "x", ["container": "c"]), BatchItem(id: "a", request: embedding()),
                BatchItem(id: "a", request: embedding("x", "y", "z")),
                BatchItem(id: "a", request: ModelRequest(kind: .generate, target: chat.target, body: [])),
            ]
            for item in unsendable {
                let failure = try #require(reason(provider.batchSize(of: item)))
                #expect(failure.failure == .permanent && !failure.wasSent && !failure.message.contains("xxx"))
                #expect(reason(await provider.submitBatch([item], label: "l", timeout: 10_000))?.wasSent == false)
            }
            let other = BatchItem(id: "b", request: ModelRequest(kind: .generate, target: Target(provider: "s", model: "n"), body: [:]))
            let batches: [([BatchItem], String)] = [
                ([], "l"), ([item("a"), item("a")], "l"), ([item("a"), other], "l"), ([item("a")], ""), ([item("a")], "l\r\n"),
                ([item("a")], String(repeating: "l", count: 41)), ([item("a"), item("b"), item("c")], "l"),
                ([BatchItem(id: "a", request: embedding("x", "y")), BatchItem(id: "b", request: embedding("z"))], "l"),
            ]
            for (items, label) in batches {
                #expect(reason(await provider.submitBatch(items, label: label, timeout: 10_000))?.wasSent == false, "\(label)")
            }
            #expect(server.requests.isEmpty)
            #expect(provider.batchCapacity == capacity)
        }
    }

    // MARK: - Failures of a submit

    @Test func aFailedUploadIsNoBatch() async throws {
        for ending in [ScriptedAnswer.Ending.droppedUnanswered, .dropped(afterBytes: 1)] {
            try await withBatches(answers: .always(ScriptedAnswer(json: "{ }", ending: ending))) { provider, server in
                let failure = try #require(reason(await provider.submitBatch([item("a")], label: "l", timeout: 10_000)))
                #expect(failure.failure == .retryable)
                #expect(!failure.isMaybePaid)
                #expect(server.requests.map(\.path) == ["/v1/files"])
            }
        }
        try await withBatches(answers: .always(ScriptedAnswer(404, json: #"{"detail":"Not Found"}"#))) { provider, server in
            let failure = try #require(reason(await provider.submitBatch([item("a")], label: "l", timeout: 10_000)))
            #expect(failure == ModelFailure(.permanent, "\(server.url)/v1 answered 404: Not Found"))
        }
    }

    @Test(arguments: [
        (ScriptedAnswer(json: openAIBatch(), ending: .droppedUnanswered), FailureClass.retryable, true),
        (ScriptedAnswer(json: openAIBatch(), ending: .dropped(afterBytes: 9)), .retryable, true),
        (ScriptedAnswer(200, json: "{"), .invalidReply, true), (ScriptedAnswer(200, json: "{}"), .invalidReply, true),
        (ScriptedAnswer(504, json: "{}"), .retryable, true), (ScriptedAnswer(500, json: #"{"error":"x"}"#), .retryable, true),
        (ScriptedAnswer(503, json: "{}"), .overloaded, false), (ScriptedAnswer(429, json: "{}"), .rateLimited, false),
        (ScriptedAnswer(400, json: "{}"), .permanent, false), (ScriptedAnswer(401, json: "{}"), .authentication, false),
    ])
    func aBatchMayBeThereAllTheSame(answer: ScriptedAnswer, expected: FailureClass, isMaybePaid: Bool) async throws {
        let script = Script { $0.path == "/v1/batches" ? answer : takeBatches($0) }
        try await withBatches(answers: script) { provider, server in
            let failure = try #require(reason(await provider.submitBatch([item("a")], label: "l", timeout: 10_000)))
            #expect(failure.failure == expected)
            #expect(failure.isMaybePaid == isMaybePaid)
            #expect(failure.calls == 0)
            // Its file is removed only where no batch can need it.
            let requests = server.requests.map { "\($0.method) \($0.path)" }
            #expect(requests == ["POST /v1/files", "POST /v1/batches"] + (isMaybePaid ? [] : ["DELETE /v1/files/file-in"]))
        }
    }

    @Test func aSubmitEndsInTimeAndWhenItIsCancelled() async throws {
        let script = Script { $0.path == "/v1/batches" ? .hang : takeBatches($0) }
        try await withBatches(answers: script) { provider, server in
            let late = try #require(reason(await provider.submitBatch([item("a")], label: "l", timeout: 5_000)))
            #expect(late.failure == .timedOut)
            #expect(late.isMaybePaid)
            let task = Task { await provider.submitBatch([item("a")], label: "l", timeout: 30_000) }
            try await server.waitForRequests(4)
            task.cancel()
            let cancelled = try #require(reason(await task.value))
            #expect(cancelled.failure == .cancelled)
            #expect(cancelled.isMaybePaid)
        }
        try await withBatches(answers: .always(.hang)) { provider, server in
            let task = Task { await provider.submitBatch([item("a")], label: "l", timeout: 30_000) }
            try await server.waitForRequests(1)
            task.cancel()
            #expect(reason(await task.value)?.isMaybePaid == false)
        }
    }

    @Test func neitherKeyNorPromptIsInAnErrorText() async throws {
        let key = "sk-live-0123456789abcdefghij"
        let prompt = "The merger of Acme and Bolt is planned for the third of May."
        for count in [1, 1_001] {
            let script = Script { request in
                let words = "Bad: \(request["authorization"] ?? "") \(request.text.prefix(2_000))"
                return ScriptedAnswer(400, json: JSONValue.object([.init("error", ["message": .string(words), "code": "bad_file"])]).text)
            }
            try await withBatches(key: key, answers: script) { provider, _ in
                let items = (0..<count).map { item("job-\($0)", prompt) }
                let failure = try #require(reason(await provider.submitBatch(items, label: "l", timeout: 30_000)))
                #expect(failure.message.contains("answered 400 (bad_file)"))
                for secret in ["sk-live", "0123456789", "merger", "Acme", "third of"] { #expect(!failure.message.contains(secret)) }
            }
        }
    }

    // MARK: - How a batch stands

    @Test(arguments: [
        ("validating", RemoteBatch.Status.inProgress), ("in_progress", .inProgress), ("finalizing", .inProgress),
        ("cancelling", .inProgress), ("brand_new", .inProgress), ("completed", .ended), ("expired", .ended), ("cancelled", .ended),
    ])
    func statusesAreRead(status: String, expected: RemoteBatch.Status) async throws {
        let body = openAIBatch("batch_1", ["status": .string(status), "request_counts": ["total": 7, "completed": 0, "failed": 0]])
        try await withBatches(answers: .always(ScriptedAnswer(json: body))) { provider, server in
            let batch = try await provider.batch("batch_1", timeout: 10_000).get()
            #expect(batch.status == expected)
            #expect(batch.count == 7)
            #expect(batch.sources.isEmpty)
            #expect(server.requests.map { "\($0.method) \($0.path)" } == ["GET /v1/batches/batch_1"])
        }
    }

    @Test func itsFilesAreItsSources() throws {
        func sources(_ members: JSONValue) throws -> (RemoteBatch.Status, [String]) {
            let body = try JSONValue.parse(openAIBatch("b", members))
            let batch = try #require(OpenAIBatch(body, url: "u", redaction: Redaction(secrets: []), now: batchTestNow))
            return (batch.remote.status, batch.remote.sources)
        }
        #expect(try sources(["status": "completed", "output_file_id": "o", "error_file_id": "e"]) == (.ended, ["o", "e"]))
        #expect(try sources(["status": "completed", "error_file_id": "e"]) == (.ended, ["e"]))
        #expect(try sources(["status": "failed", "output_file_id": "o"]) == (.ended, ["o"]))
        // It has answered, and does not say where yet: not until its time is up is that taken for an end.
        let counts: JSONValue = ["total": 2, "completed": 1, "failed": 1]
        #expect(try sources(["status": "completed", "request_counts": counts, "error_file_id": "e"]) == (.inProgress, ["e"]))
        #expect(try sources(["status": "completed", "request_counts": counts, "expires_at": 1_794_999_999]) == (.ended, []))
    }

    @Test func aRefusalSaysWhatAndWhere() async throws {
        let errors: JSONValue = [
            "object": "list",
            "data": [
                ["code": "missing_required_parameter", "message": "Line says: secret prompt", "param": "model", "line": 3],
                ["code": "token_limit_exceeded", "message": "Limit of sk-live-0123456789 reached\u{1}", "param": .null, "line": .null],
                ["code": "not a code, but a prompt", "message": "secret", "line": 9], ["code": "x", "line": 10],
            ],
        ]
        let body = openAIBatch("batch_1", ["status": "failed", "errors": errors])
        try await withBatches(key: "sk-live-0123456789", answers: .always(ScriptedAnswer(json: body))) { provider, server in
            let batch = try await provider.batch("batch_1", timeout: 10_000).get()
            let reason =
                "\(server.url)/v1 refused the batch: line 3: missing_required_parameter: 'model'; token_limit_exceeded: "
                + "Limit of *** reached; line 9 (and 1 more)"
            #expect(batch.status == .refused(reason))
        }
        let silent = try JSONValue.parse(openAIBatch("b", ["status": "failed"]))
        let batch = OpenAIBatch(silent, url: "u", redaction: Redaction(secrets: []), now: 0)
        #expect(batch?.remote.status == .refused("u refused the batch: it does not say why"))
    }

    @Test func namesAreAskedForAsTheyAre() async throws {
        try await withBatches(answers: .always(ScriptedAnswer(json: openAIBatch()))) { provider, server in
            _ = try await provider.batch("batches/a?b=c", timeout: 10_000).get()
            #expect(server.requests.map(\.path) == ["/v1/batches/batches%2Fa%3Fb%3Dc"])
            for id in ["", "..", "a b", "ä", "a\n"] {
                #expect(reason(await provider.batch(id, timeout: 10_000))?.wasSent == false)
                #expect(reason(await provider.cancelBatch(id, timeout: 10_000))?.wasSent == false)
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func failuresOfAskingCostNothing() async throws {
        let answers = [
            (ScriptedAnswer(404, json: "{}"), FailureClass.permanent), (ScriptedAnswer(200, json: "{"), .invalidReply),
            (ScriptedAnswer(200, json: "{}"), .invalidReply), (ScriptedAnswer(200, json: #"{"error":"x"}"#), .retryable),
            // What asks has no body, so that nothing counts as sent.
            (ScriptedAnswer(json: openAIBatch(), ending: .droppedUnanswered), .unreachable),
            (ScriptedAnswer(429, headers: [("retry-after", "7")], json: "{}"), .rateLimited),
        ]
        for (answer, expected) in answers {
            try await withBatches(answers: .always(answer)) { provider, _ in
                let failure = try #require(reason(await provider.batch("b", timeout: 10_000)))
                #expect(failure.failure == expected)
                #expect(!failure.isMaybePaid && failure.calls == 0)
                #expect(failure.retryAfter == (expected == .rateLimited ? 7_000 : nil))
            }
        }
    }

    @Test func aBatchIsGivenUp() async throws {
        let script = Script { request in
            request.method == "POST"
                ? ScriptedAnswer(json: openAIBatch("batch_1", ["status": "cancelling"])) : ScriptedAnswer(404, json: "{}")
        }
        try await withBatches(answers: script) { provider, server in
            let asked = try await provider.cancelBatch("batch_1", timeout: 10_000).get()
            #expect(asked.status == .inProgress)
            #expect(server.requests.map { "\($0.method) \($0.path)" } == ["POST /v1/batches/batch_1/cancel"])
        }
    }

    @Test func givingUpWhatHasEndedIsNoFault() async throws {
        for (status, isKnown) in [("completed", true), ("in_progress", false)] {
            let script = Script { request in
                request.method == "POST"
                    ? ScriptedAnswer(409, json: #"{"error":{"message":"Cannot cancel a batch with status 'completed'."}}"#)
                    : ScriptedAnswer(json: openAIBatch("batch_1", ["status": .string(status)]))
            }
            try await withBatches(answers: script) { provider, _ in
                let result = await provider.cancelBatch("batch_1", timeout: 10_000)
                #expect((try? result.get().status) == (isKnown ? .ended : nil))
                #expect(reason(result)?.message.contains("409") == (isKnown ? nil : true))
            }
        }
    }

    @Test func onlyTheInputIsRemoved() async throws {
        let script = Script { request in
            request.method == "DELETE" ? ScriptedAnswer(500, json: "{}") : ScriptedAnswer(json: openAIBatch("b", ["output_file_id": "out"]))
        }
        try await withBatches(answers: script) { provider, server in
            await provider.forgetBatch(RemoteBatch(id: "b", status: .ended, createdAt: 0, sources: ["out"]), timeout: 10_000)
            #expect(server.requests.map { "\($0.method) \($0.path)" } == ["GET /v1/batches/b", "DELETE /v1/files/file-in"])
        }
    }
}

extension RecordedRequest {
    /// The same, asked for without its query.
    fileprivate var withoutQuery: RecordedRequest {
        var request = self
        request.path = String(path.prefix { $0 != "?" })
        return request
    }
}
