import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Logging
import Testing

@testable import AgentQueue

/// The pipelines that come along: by a scripted model, what they ask whom and when; by a real one, that they come to an end.
@Suite(.timeLimit(.minutes(10))) struct ShippedPipelineTests {
    private static let local = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_CHAT_URL"]

    private static let areLong = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] != nil
    private static let quick = [
        ("summarize", #"{"documents": ["The library opens at nine. It closes at six. A card costs five euros a year."], "words": 30}"#),
        (
            "extract",
            """
            {"documents": ["Ann is 31 years old."], "schema": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20},
            "age": {"type": "integer"}}, "required": ["name", "age"], "additionalProperties": false}}
            """
        ),
    ]
    private static let slow = [
        ("compare", #"{"prompt": "In one sentence: what is a library?", "targets": ["local/smollm2", "local/smollm2"]}"#),
        ("content", #"{"topic": "Public libraries", "words": 60}"#), ("coding", #"{"task": "Add two numbers", "rounds": 1}"#),
    ]

    // MARK: Logic

    @Test func codingRepairsUntilTheReflectorIsConfident() async throws {
        let model = RolePlay { request, turn in
            if request.system.hasPrefix("You are a software architect") {
                return """
                    {"summary": "Two files.", "parts": [{"file": "a.py", "purpose": "adds", "interface": "add(a, b)"},
                    {"file": "b.py", "purpose": "prints", "interface": ""}]}
                    """
            }
            if request.system.hasPrefix("You judge whether") {
                return
                    #"{"must_fix": ["mend \#(turn)"], "verdict": "round \#(turn)", "confidence": \#([0.5, 0.7, 0.9][min(turn, 3) - 1])}"#
            }
            if request.system.hasPrefix("You are an experienced programmer") {
                return request.prompt.contains("What must be changed")
                    ? "program \(turn - 2)" : "# \(request.prompt.contains("file 1 of 2") ? "a" : "b").py"
            }
            return nil
        }
        let run = try await run("coding", ["task": "Add numbers"], model)
        #expect(run.summary.state == .completed, "\(run.summary.reason ?? "")")
        #expect(
            Self.paths(run) == [
                "code[0]", "code[1]", "plan", "refine/1/correctness", "refine/1/design", "refine/1/reflect", "refine/1/validate",
                "refine/2/correctness", "refine/2/design", "refine/2/reflect", "refine/2/revise", "refine/2/validate",
                "refine/3/correctness", "refine/3/design", "refine/3/reflect", "refine/3/revise", "refine/3/validate",
            ])
        let output = try #require(run.output?.string)
        #expect(output.contains("program 2") && output.contains("Confidence 0.9: round 3"))
        let coder = model.requests(of: "You are an experienced programmer")
        // The first repair sees the parts, the second what the first made of them; each what the round before it asked for.
        #expect(coder[2].prompt.contains("# a.py") && coder[2].prompt.contains("# b.py") && coder[2].prompt.contains("1. mend 1"))
        #expect(coder[3].prompt.contains("program 1") && !coder[3].prompt.contains("# a.py") && coder[3].prompt.contains("1. mend 2"))
        // The reviewers of a round do not wait for each other, and the reflector for all.
        for round in 1...3 {
            let reviews = run.calls.filter {
                ["validate", "correctness", "design"].map { "refine/\(round)/\($0)" }.contains($0.record.path)
            }
            let reflection = try #require(run.calls.first { $0.record.path == "refine/\(round)/reflect" }?.createdAt)
            let begun = reviews.compactMap(\.createdAt)
            #expect(begun.count == 3 && Set(begun).count == 1)
            #expect(reviews.allSatisfy { ($0.finalizedAt ?? .max) <= reflection })
        }
    }

    @Test func codingStopsWhereNothingImproves() async throws {
        let model = RolePlay { request, turn in
            guard request.system.hasPrefix("You judge whether") else { return nil }
            return #"{"must_fix": [], "verdict": "round \#(turn)", "confidence": \#([0.6, 0.5, 0.4][min(turn, 3) - 1])}"#
        }
        let run = try await run("coding", ["task": "x"], model)
        #expect(run.summary.state == .completed)
        #expect(model.requests(of: "You judge whether").count == 3)
        // The best round, not the last.
        #expect(run.output?.string?.contains("Confidence 0.6: round 1") == true)
    }

    @Test(arguments: [true, false]) func contentIsCorrectedWhereItMust(needsCorrection: Bool) async throws {
        let model = RolePlay { request, turn in
            if request.system.hasPrefix("You plan articles") {
                return #"{"thread": "tea", "sections": [{"heading": "One", "points": ["p"]}, {"heading": "Two", "points": ["q"]}]}"#
            }
            if request.system.hasPrefix("You check facts") {
                return """
                    {"needs_correction": \(needsCorrection), "claims": [{"claim": "c", "verdict": "wrong", "reason": "r", "wording": "w"}]}
                    """
            }
            if request.schema?["properties"]?["choice"] != nil { return #"{"choice": 2, "confidence": 0.9, "reason": "fits"}"# }
            if request.prompt.contains("Write one title") { return "Title \(turn)" }
            if request.prompt.contains("asks for these corrections") { return "corrected text" }
            if request.prompt.contains("Make one article") { return "edited text" }
            return nil
        }
        let run = try await run("content", ["topic": "Tea"], model)
        #expect(run.summary.state == .completed, "\(run.summary.reason ?? "")")
        #expect(Self.paths(run).contains("correct") == needsCorrection)
        let output = try #require(run.output?.string)
        #expect(output.contains(needsCorrection ? "corrected text" : "edited text"))
        // The title is the second in the order of the samples, whichever came second.
        let second = try #require(run.calls.first { $0.record.path == "title~1" })
        #expect(second.record.state == .completed)
        #expect(output.hasPrefix("# Title "))
        #expect(model.requests.filter { $0.prompt.contains("Write one title") }.count == 3)
    }

    @Test func aLongTextIsSummarisedInPieces() async throws {
        let text = (1...400).map { "Sentence number \($0) of a long text." }.joined(separator: " ")
        let model = RolePlay { request, _ in "summary of \(request.prompt.utf8.count)" }
        let run = try await run("summarize", ["documents": [.string(text), "A short one."], "piece": 6_000], model)
        #expect(run.summary.state == .completed, "\(run.summary.reason ?? "")")
        // Four short summaries fit into one prompt: nothing is joined in between.
        #expect(Self.paths(run) == ["pieces[0]", "pieces[1]", "pieces[2]", "pieces[3]", "summary"])
        // Nothing of it is left out.
        let pieces = model.requests.filter { $0.prompt.hasPrefix("This is piece") }.map(\.prompt).joined()
        for number in 1...400 { #expect(pieces.contains("number \(number) of")) }
    }

    @Test func aShortTextIsSummarisedAtOnce() async throws {
        let run = try await run("summarize", ["documents": ["A short one."]], RolePlay { _, _ in "short" })
        #expect(Self.paths(run) == ["whole[0]"])
        #expect(run.output == "short")
    }

    @Test func manySummariesAreJoinedFirst() async throws {
        let text = String(repeating: "A sentence of a text. ", count: 200)
        let model = RolePlay { _, _ in String(repeating: "s", count: 400) }
        let run = try await run("summarize", ["documents": [.string(text)], "piece": 1_000], model)
        #expect(run.summary.state == .completed, "\(run.summary.reason ?? "")")
        let (pieces, together) = (Self.paths(run).count { $0.hasPrefix("pieces") }, Self.paths(run).count { $0.hasPrefix("together") })
        #expect(pieces > 4 && together == (pieces + 1) / 2)
        #expect(run.calls.count == pieces + together + 1)
    }

    @Test func whatDoesNotFitIsAskedForAgain() async throws {
        let schema: JSONValue = [
            "type": "object", "properties": ["age": ["type": "integer"]], "required": ["age"], "additionalProperties": false,
        ]
        let model = RolePlay { request, _ in
            if request.prompt.contains("never") { return #"{"age": "unknown"}"# }
            return request.messages == 2 ? #"{"age": "31"}"# : #"{"age": 31}"#
        }
        var settings = RunOptions()
        settings.tags = ["extraction"]
        let run = try await run("extract", ["documents": ["Ann, 31", "never"], "schema": schema], model, options: settings)
        #expect(run.summary.state == .completed, "\(run.summary.reason ?? "")")
        #expect(run.output == [["age": 31], .null])
        #expect(run.calls.map(\.attempts).sorted() == [2, 5])
    }

    @Test func answersAreJudgedWithoutNames() async throws {
        let model = RolePlay { request, _ in
            if request.system.hasPrefix("You judge answers") {
                return """
                    {"judgements": [{"answer": 1, "strengths": "s", "weaknesses": "w", "points": 4},
                    {"answer": 2, "strengths": "t", "weaknesses": "v", "points": 8}], "best": 2, "reason": "clearer"}
                    """
            }
            return "answer of \(request.model)"
        }
        let run = try await run("compare", ["prompt": "Why?", "targets": ["scripted/alpha", "scripted/beta"]], model)
        #expect(run.summary.state == .completed, "\(run.summary.reason ?? "")")
        #expect(model.requests.map(\.model).sorted() == ["alpha", "beta", "m"])
        let judge = try #require(model.requests(of: "You judge answers").first)
        #expect(judge.prompt.contains("Answer 1:\nanswer of alpha") && judge.prompt.contains("Answer 2:\nanswer of beta"))
        #expect(!judge.prompt.contains("scripted/"))
        // The judge writes down each judgement before it names the best.
        #expect(judge.schema?["properties"]?.members?.map(\.key) == ["judgements", "best", "reason"])
        let output = try #require(run.output?.string)
        #expect(output.contains("Best: answer 2. clearer") && output.contains("Answer 2, 8 of 10"))
    }

    // MARK: Mechanics

    /// With the small local model, whose words are of no account: each comes to its end, and says something. Those that ask for long
    /// forms take it minutes: they are tried where long tests are wanted.
    @Test(.enabled(if: local != nil), arguments: areLong ? quick + slow : quick)
    func aRealModelBringsItToAnEnd(_ name: String, _ inputs: String) async throws {
        var settings = Settings(database: "")
        let url: String = try #require(Self.local)
        settings.providers["local"]?.baseURL = url
        let run = try await withQueue(settings) {
            try await Self.finish(name, try JSONValue.parse(inputs), RunOptions(), $0, within: .seconds(500))
        }
        #expect(run.summary.state == .completed, "\(run.summary.reason ?? "")")
        #expect(run.calls.allSatisfy { $0.record.state == .completed })
        #expect(try #require(run.output).text.utf8.count > 4)
    }

    // MARK: Running

    private static func paths(_ run: RunDetail) -> [String] { run.calls.map(\.record.path).sorted() }

    private func run(
        _ name: String, _ inputs: JSONValue, _ model: RolePlay, options: RunOptions = RunOptions()
    ) async throws -> RunDetail {
        try await ScriptedServer.withServer(model.script) { server in
            var settings = Settings(database: "")
            var provider = ProviderSettings(kind: .openai)
            provider.baseURL = server.url + "/v1"
            settings.providers = ["scripted": provider]
            settings.defaultModel = "scripted/m"
            return try await withQueue(settings) { try await Self.finish(name, inputs, options, $0, within: .seconds(60)) }
        }
    }

    private static func finish(
        _ name: String, _ inputs: JSONValue, _ options: RunOptions, _ queue: JobQueue, within bound: Duration
    ) async throws -> RunDetail {
        let new = try PipelineCatalog(queue.settings).resolve(name, inputs: inputs, options: options, now: queue.store.clock.wall())
        let run = try await queue.start(new)
        return try await AgentQueueTestSupport.within(bound, "\(name) ends") { try await queue.finish(run: run.id) }
    }

    private func withQueue(_ settings: Settings, _ body: @escaping (JobQueue) async throws -> RunDetail) async throws -> RunDetail {
        try await withFolder { folder in
            var settings = settings
            settings.database = "\(folder)/queue.db"
            let queue = try JobQueue(settings, environment: [:])
            defer { queue.store.close() }
            let worker = Task { try await queue.work(logger: Logger.silent) }
            do {
                let run = try await body(queue)
                worker.cancel()
                _ = await worker.result
                #expect(try queue.store.maintenance.check().faults == [])
                return run
            } catch {
                worker.cancel()
                _ = await worker.result
                throw error
            }
        }
    }
}
