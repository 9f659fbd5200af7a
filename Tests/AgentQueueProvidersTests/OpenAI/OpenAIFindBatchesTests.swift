import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct OpenAIFindBatchesTests {
    private static let since: Int64 = 1_794_999_000_500

    /// A batch with a label, or none at all, made so many seconds after ``since``'s second.
    private func listed(_ id: String, label: String? = nil, at seconds: Int64 = 10, total: Int64 = 2, _ more: JSONValue = [:]) -> JSONValue
    {
        let metadata: JSONValue = label.map { ["agent_queue": .string($0)] } ?? .null
        let usual: JSONValue = [
            "metadata": metadata, "created_at": .integer(1_794_999_000 + seconds), "request_counts": ["total": .integer(total)],
            "input_file_id": .string("file-\(id)"),
        ]
        let replaced = more.members ?? []
        let kept = (usual.members ?? []).filter { member in !replaced.contains { $0.key == member.key } }
        guard let body = try? JSONValue.parse(openAIBatch(id, .object(kept + replaced))) else {
            Issue.record("no JSON")
            return .null
        }
        return body
    }

    private func page(_ batches: [JSONValue], hasMore: Bool? = false) -> ScriptedAnswer {
        let more = hasMore.map { [JSONValue.Member("has_more", .bool($0))] } ?? []
        return ScriptedAnswer(json: JSONValue.object([.init("object", "list"), .init("data", .array(batches))] + more).text)
    }

    private func find(_ provider: OpenAIProvider, _ timeout: Int64 = 10_000) async -> Result<[RemoteBatch], ModelFailure> {
        await provider.findBatches(label: "mine", count: 2, since: Self.since, timeout: timeout)
    }

    @Test func theLabelTells() async throws {
        let list = [
            listed("other", label: "others"), listed("refused", label: "mine", ["status": "failed"]), listed("a", label: "mine"),
            listed("unnamed"), listed("foreign", ["metadata": ["team": "x"]]), listed("b", label: "mine", total: 0),
            listed("edge", label: "mine", at: 0), listed("old", label: "mine", at: -1),
        ]
        try await withBatches(answers: .always(page(list))) { provider, server in
            let found = try await find(provider).get()
            #expect(found.map(\.id) == ["a", "b", "edge", "refused"])
            #expect(found.map(\.isCertain) == [true, true, true, true])
            #expect(found.map(\.count) == [2, nil, 2, 2])
            #expect(server.requests.map(\.path) == ["/v1/batches?limit=100"])
        }
    }

    @Test func allPagesSinceThenAreRead() async throws {
        let script = Script { request in
            switch request.path {
            case "/v1/batches?limit=100": page([listed("b1"), listed("b2", label: "others")], hasMore: true)
            case "/v1/batches?limit=100&after=b2": page([listed("b3", label: "mine")], hasMore: nil)
            case "/v1/batches?limit=100&after=b3": page([listed("b4", label: "mine", at: -9)], hasMore: true)
            default: ScriptedAnswer(400, json: "{}")
            }
        }
        try await withBatches(answers: script) { provider, server in
            let asked = try await find(provider).get()
            #expect(asked.map(\.id) == ["b3"])
            #expect(server.requests.count == 3)
        }
    }

    @Test func aListWithoutEndIsAFailureAndNoLack() async throws {
        let turn = Counter()
        let endless = Script { _ in
            turn.add()
            return page([listed("b\(turn.count)", label: "others")], hasMore: true)
        }
        try await withBatches(answers: endless) { provider, server in
            let result = await find(provider, 60_000)
            #expect(throws: ModelFailure(.retryable, "\(server.url)/v1 lists too many batches to find one")) { try result.get() }
            #expect(server.requests.count == 100)
        }
        // A server that takes no notice of `after`.
        try await withBatches(answers: .always(page([listed("b", label: "mine")], hasMore: true))) { provider, server in
            let found = try await find(provider).get()
            #expect(found.allSatisfy { $0.id == "b" } && !found.isEmpty)
            #expect(server.requests.count == 2)
        }
    }

    @Test func whereNoMetadataAreKeptTheFileTells() async throws {
        let list = [
            listed("nameless"), listed("mine"), listed("theirs"), listed("larger", total: 3), listed("early", total: 0),
            listed("tagged", ["metadata": ["team": "x"]]), listed("empty", ["metadata": [:]]),
        ]
        let script = Script { request in
            switch request.path {
            case "/v1/files/file-mine", "/v1/files/file-early": ScriptedAnswer(json: #"{"id":"f","filename":"mine.jsonl"}"#)
            case "/v1/files/file-theirs": ScriptedAnswer(json: #"{"id":"f","filename":"theirs.jsonl"}"#)
            case "/v1/files/file-empty": ScriptedAnswer(json: #"{"id":"f"}"#)
            case "/v1/files/file-nameless": ScriptedAnswer(404, json: "{}")
            default: request.path.hasPrefix("/v1/batches") ? page(list) : ScriptedAnswer(500, json: "{}")
            }
        }
        try await withBatches(answers: script) { provider, _ in
            let found = try await find(provider).get()
            #expect(found.map(\.id) == ["mine", "early", "nameless", "empty"])
            #expect(found.map(\.isCertain) == [true, true, false, false])
        }
    }

    @Test func whatCannotBeFoundOutIsAFailure() async throws {
        let script = Script { request in
            request.path.hasPrefix("/v1/batches") ? page([listed("a")]) : ScriptedAnswer(500, json: "{}")
        }
        try await withBatches(answers: script) { provider, _ in
            let result = await find(provider)
            guard case .failure(let failure) = result else { return #expect(Bool(false), "\(result)") }
            #expect(failure.failure == .retryable && !failure.isMaybePaid)
        }
        for answer in [ScriptedAnswer(json: "{}"), ScriptedAnswer(json: "[]"), ScriptedAnswer(json: "")] {
            try await withBatches(answers: .always(answer)) { provider, _ in
                let result = await find(provider)
                guard case .failure(let failure) = result else { return #expect(Bool(false), "\(result)") }
                #expect(failure.failure == .invalidReply && !failure.isMaybePaid)
            }
        }
    }
}
