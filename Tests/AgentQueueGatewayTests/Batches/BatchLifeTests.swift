import AgentQueue
import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueGateway

/// Batches of clients from their input to their files.
@Suite struct BatchLifeTests {
    /// Answers `question N` with `answer N`, and refuses what it does not like.
    private static let script = Script { request in
        guard let question = request.text.firstMatch(of: /question ([0-9]+)/)?.1 else {
            return ScriptedAnswer(400, json: #"{"error":{"message":"I do not like it","type":"invalid_request_error","code":"bad"}}"#)
        }
        return ScriptedAnswer(json: Chat.wholeText.replacing("Hello there", with: "answer \(question)"))
    }

    private static func line(_ id: String, _ text: String, model: String = "local/m") -> String {
        #"{"custom_id":"\#(id)","method":"POST","url":"/v1/chat/completions","body":{"model":"\#(model)","messages":[{"role":"user","#
            + #""content":"\#(text)"}]}}"#
    }

    @Test func resultsAreInTheOrderOfTheInput() async throws {
        try await withGateway(Self.script) { gateway in
            var lines = (1...7).map { Self.line("id-\($0)", "question \($0)") }
            lines.insert(Self.line("odd", "nothing"), at: 3)
            let batch = try await gateway.batch(lines.joined(separator: "\n"))
            let ended = try await gateway.end(of: batch)
            #expect(ended.state == .completed && ended.model == "local/m")
            #expect(ended.counts.total == 8 && ended.counts.succeeded == 7 && ended.counts.failed == 1)
            #expect(ended.usage == Usage(inputTokens: 21, outputTokens: 14))
            let output = try gateway.lines(of: ended.outputFile)
            #expect(output.map { $0["custom_id"]?.string } == (1...7).map { "id-\($0)" })
            #expect(
                output.map { $0["response"]?["body"]?["choices"]?.array?.first?["message"]?["content"]?.string }
                    == (1...7).map { "answer \($0)" })
            #expect(output.allSatisfy { $0["response"]?["status_code"] == 200 && $0["error"] == .null })
            let errors = try gateway.lines(of: ended.errorFile)
            #expect(errors.map { $0["custom_id"]?.string } == ["odd"] && errors.first?["response"]?["status_code"] == 400)
            #expect(errors.first?["response"]?["body"]?["error"]?["message"] == "I do not like it")
            let job = try #require(try gateway.queue.store.jobs.list(JobFilter(batch: batch.publicID), limit: 1, before: nil).first)
            #expect(job.queue == "api.local.batch" && job.priority == 7 && job.expiresAt == ended.expiresAt)
        }
    }

    @Test func inputWithAFaultFailsWholeAndSaysEveryFault() async throws {
        try await withGateway(Self.script) { gateway in
            let lines = [
                Self.line("a", "question 1"), "{", "", Self.line("a", "question 2"), Self.line("b", "question 3", model: "nowhere"),
                Self.line("c", "question 4").replacing(#""model""#, with: #""n":2,"model""#),
            ]
            let batch = try await gateway.batch(lines.joined(separator: "\n"))
            let ended = try await gateway.end(of: batch)
            #expect(ended.state == .failed && ended.outputFile == nil && ended.errorFile == nil)
            #expect(ended.errors.map { $0["line"]?.int } == [2, 4, 5, 6])
            #expect(
                ended.errors.map { $0["code"]?.string } == [
                    "invalid_json_line", "duplicate_custom_id", "model_not_found", "unsupported_parameter",
                ])
            #expect(try gateway.queue.store.jobs.list(JobFilter(), limit: 1, before: nil).isEmpty && gateway.asked == 0)
        }
    }

    @Test func aWrongRequestOfAnthropicsBatchIsAResult() async throws {
        try await withGateway(Self.script) { gateway in
            func item(_ id: String, _ params: String) -> String { #"{"custom_id":"\#(id)","params":\#(params)}"# }
            func ask(_ text: String) -> String {
                #"{"model":"local/m","max_tokens":9,"messages":[{"role":"user","content":"\#(text)"}]}"#
            }
            let items = [item("x", ask("question 1")), item("y", #"{"model":"local/m"}"#), item("z", ask("question 2"))]
            let batch = try await gateway.batch(#"{"requests":[\#(items.joined(separator: ", "))]}"#, .messages, lines: 3)
            #expect(batch.state == .inProgress && batch.counts.total == 3)
            let ended = try await gateway.end(of: batch)
            #expect(ended.state == .completed && ended.errorFile == nil)
            let results = try gateway.lines(of: ended.outputFile)
            #expect(results.map { $0["custom_id"]?.string } == ["x", "y", "z"])
            #expect(results.map { $0["result"]?["type"]?.string } == ["succeeded", "errored", "succeeded"])
            #expect(results.last?["result"]?["message"]?["content"]?.array?.first?["text"] == "answer 2")
            #expect(results[1]["result"]?["error"]?["error"]?["type"] == "invalid_request_error")
        }
    }

    /// A process was killed after it had added some requests.
    @Test func whatADeadProcessHasBegunIsFinishedOnce() async throws {
        try await withFolder { folder in
            let path = "\(folder)/queue.db"
            let store = try QueueStore(path: path)
            let dead = try await store.gateway.register()
            let lines = (1...6).map { Self.line("id-\($0)", "question \($0)") }
            let batch = try await store.clientBatch(lines.joined(separator: "\n"), lines: 6)
            #expect(try await store.clientBatches.take(batch.id, server: dead))
            let added = (1...2).map {
                NewLine(line: $0, customID: "id-\($0)", job: .failure(GatewayError(.malformed, "It was added before.").stored))
            }
            #expect(try await store.clientBatches.add(added, to: batch.id, after: 0, server: dead) == false)
            try await store.gateway.unregister(dead)
            store.close()
            let plan = GatewayPlan(script: Self.script) { $0.database = path }
            try await withGateway(plan) { gateway in
                let ended = try await gateway.end(of: batch)
                #expect(ended.counts.succeeded == 4 && ended.counts.failed == 2)
                #expect(try gateway.lines(of: ended.outputFile).map { $0["custom_id"]?.string } == (3...6).map { "id-\($0)" })
                #expect(try gateway.lines(of: ended.errorFile).map { $0["custom_id"]?.string } == ["id-1", "id-2"])
                #expect(gateway.asked == 4)
            }
        }
    }

    @Test func aCancelledBatchGivesWhatIsDone() async throws {
        let gate = Gate()
        let script = Script { _ in
            var answer = Chat.whole
            answer.gate = gate
            return answer
        }
        let plan = GatewayPlan(script: script) { $0.serve.concurrency = 1 }
        try await withGateway(plan) { gateway in
            let store = gateway.queue.store
            let batch = try await gateway.batch((1...3).map { Self.line("id-\($0)", "question \($0)") }.joined(separator: "\n"))
            _ = try await gateway.upstream.waitForRequests(1)
            _ = try await store.clientBatches.cancel(batch.publicID, key: 0)
            try await until("what waits is cancelled") {
                try store.clientBatches.find(batch.publicID, key: 0)?.counts.cancelled ?? 0 > 0
            }
            gate.open()
            let ended = try await gateway.end(of: batch)
            #expect(ended.state == .cancelled && ended.counts.succeeded + ended.counts.cancelled == 3 && ended.counts.succeeded > 0)
            #expect(try gateway.lines(of: ended.outputFile).count == ended.counts.succeeded)
            #expect(try gateway.lines(of: ended.errorFile).allSatisfy { $0["error"]?["code"] == "batch_cancelled" })
        }
    }
}

extension LiveGateway {
    /// Stores an input and makes a batch of it.
    func batch(_ input: String, _ form: RequestForm = .chat, lines: Int? = nil) async throws -> ClientBatch {
        try await queue.store.clientBatch(input, form, lines: lines)
    }

    /// The number of calls that the upstream had. (It is asked for its models too.)
    fileprivate var asked: Int { upstream.requests.count { $0.method == "POST" } }

    /// The batch once it has ended.
    func end(of batch: ClientBatch) async throws -> ClientBatch {
        let store = queue.store
        try await until("the batch has ended") { try store.clientBatches.find(batch.publicID, key: batch.key)?.state.isFinal == true }
        return try #require(try store.clientBatches.find(batch.publicID, key: batch.key))
    }

    /// The lines of a file.
    func lines(of file: Int64?) throws -> [JSONValue] {
        let file = try #require(file)
        var bytes: [UInt8] = []
        var number = 0
        while let piece = try queue.store.files.piece(number, of: file) {
            bytes += piece
            number += 1
        }
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0)) }
    }
}

extension QueueStore {
    /// Stores an input and makes a batch of it.
    fileprivate func clientBatch(_ input: String, _ form: RequestForm = .chat, lines: Int? = nil) async throws -> ClientBatch {
        let file = try await files.begin(key: 0)
        let bytes = Array(input.utf8)
        for number in 0...(bytes.count / FileStore.pieceLength) {
            let piece = bytes.dropFirst(number * FileStore.pieceLength).prefix(FileStore.pieceLength)
            try await files.append(Array(piece), to: file, number: number)
        }
        let purpose: FilePurpose = form == .messages ? .messageBatch : .batch
        _ = try await files.complete(file, as: NewFile(name: "in.jsonl", purpose: purpose), bytes: Int64(bytes.count))
        var new = NewClientBatch(
            publicID: "batch_\(file)", key: 0, form: form, inputFile: file, attach: [UInt8](repeating: UInt8(file % 256), count: 32),
            window: "24h", lifetime: 86_400_000, server: 0)
        new.lines = lines
        return try await clientBatches.create(new).batch
    }
}
