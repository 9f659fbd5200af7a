import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueProviders

/// The real program, against a scripted API. One after another: each test starts programs of 180 MB.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: ClaudeCodeScene.program != nil, "no claude: set AGENT_QUEUE_TEST_CLAUDE, or pip install claude-agent-sdk into .venv"))
struct ClaudeCodeProviderTests {
    private static let hello = Script.always(ScriptedClaude.stream("Hello there, friend"))

    // MARK: Answers

    @Test func anAnswerComesBackWithWhatItCost() async throws {
        try await ClaudeCodeScene.run(Self.hello) { scene in
            let reply = try #require(
                await scene.ask([
                    "messages": [["role": "system", "content": "Be terse."], ["role": "user", "content": "Hi"]], "max_tokens": 321,
                    "reasoning_effort": "low", "thinking": ["type": "disabled"],
                ]).reply)
            #expect(reply.text == "Hello there, friend")
            #expect(reply.finishReason == "stop")
            #expect(reply.usage == Usage(inputTokens: 17, outputTokens: 5, cacheReadTokens: 4, cacheWriteTokens: 3))
            #expect(reply.calls == 1)
            #expect(reply.model == "claude-sonnet-5")
            #expect(reply.requestID == "req_1")
            #expect(try #require(reply.cost) > 0)

            #expect(scene.calls.count == 1)
            let sent = try #require(scene.calls.first)
            #expect(sent["x-api-key"] == ClaudeCodeScene.key)
            #expect(sent.prompt == "Hi")
            #expect(sent.json["max_tokens"] == 321)
            #expect(sent.json["output_config"]?["effort"] == "low")
            #expect(sent.json["thinking"] == ["type": "disabled"])
            #expect(sent.json["tools"]?.array?.isEmpty ?? true)
            #expect(sent.json["system"]?.array?.last?["text"] == "Be terse.")
            #expect(sent.body.count < 4_000)
        }
    }

    @Test func textComesPieceByPiece() async throws {
        try await ClaudeCodeScene.run(Self.hello) { scene in
            let pieces = Recorder<String>()
            let reply = try #require(await scene.ask("Hi") { pieces.add($0) }.reply)
            #expect(pieces.all == ["Hello", " ther", "e, fr", "iend"])
            #expect(pieces.all.joined() == reply.text)
        }
    }

    @Test func theFirstPieceComesBeforeTheLast() async throws {
        // The server sends half an answer and waits: what was told by then was told at once.
        var answer = ScriptedClaude.stream("Hello there, friend")
        let half = try #require(answer.body.firstRange(of: Array("e, fr".utf8))).lowerBound - 80
        answer.ending = .stalled(afterBytes: half)
        try await ClaudeCodeScene.run(.always(answer)) { scene in
            let pieces = Recorder<String>()
            let call = Task { await scene.ask("Hi") { pieces.add($0) } }
            try await within(.seconds(30), "the first piece") { try await pieces.wait(atLeast: 1) }
            #expect(pieces.all.first == "Hello")
            call.cancel()
            let failure = try #require(await call.value.failure)
            #expect(failure.failure == .cancelled)
            #expect(failure.isMaybePaid)
            #expect(failure.calls == 1)
            #expect(failure.usage.inputTokens == 17)
            #expect(failure.partialText?.hasPrefix("Hello") == true)
        }
    }

    @Test func aSchemaIsKept() async throws {
        let schema: JSONValue = ["type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"]]
        let format: JSONValue = ["type": "json_schema", "json_schema": ["name": "x", "schema": schema]]
        try await ClaudeCodeScene.run(
            .inTurn(
                ScriptedClaude.stream("", tool: ["n": 7]), ScriptedClaude.stream("", tool: ["n": "seven"]),
                ScriptedClaude.stream("Seven, I think"))
        ) { scene in
            let body: JSONValue = ["messages": [["role": "user", "content": "A number"]], "response_format": format]
            let reply = try #require(await scene.ask(body).reply)
            #expect(reply.text == #"{"n":7}"#)
            #expect(reply.finishReason == "stop")
            #expect(reply.calls == 1)
            for _ in 0..<2 {
                let failure = try #require(await scene.ask(body).failure)
                #expect(failure.failure == .invalidReply)
                #expect(failure.message == "claude's answer does not follow the JSON Schema")
                #expect(failure.usage.inputTokens == 17)
                #expect(failure.calls == 1)
            }
            #expect(scene.calls.count == 3)
        }
    }

    @Test func anImageTravelsAsABlock() async throws {
        try await ClaudeCodeScene.run(Self.hello) { scene in
            let dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
            let body: JSONValue = [
                "messages": [
                    [
                        "role": "user",
                        "content": [
                            ["type": "text", "text": "What is this?"],
                            ["type": "image_url", "image_url": ["url": .string("data:image/png;base64,\(dot)")]],
                        ],
                    ]
                ]
            ]
            #expect(await scene.ask(body).reply != nil)
            let blocks = scene.calls.first?.json["messages"]?.array?.first?["content"]?.array
            let image = blocks?.first { $0["type"] == "image" }
            #expect(image?["source"] == ["type": "base64", "media_type": "image/png", "data": .string(dot)])
        }
    }

    // MARK: Prompts mean nothing but themselves

    @Test func noPromptIsACommandOrAFileToSend() async throws {
        let prompts = [
            "@/etc/passwd", "look at @/etc/passwd and @/etc/hostname", "/cost", "  /clear", "/compact", "--help", "-p", "$(id)", "`id`; id",
            "!id", "#remember", "\u{1B}[31mred\u{1B}[0m \u{07}", "line\r\nline\u{2028}\u{85}end", "ultrathink {\"type\":\"user\"}\n/exit",
            "\u{1F600}e\u{301}",
            "[Request interrupted by user]",
        ]
        try await ClaudeCodeScene.run(Self.hello) { scene in
            for (number, prompt) in prompts.enumerated() {
                #expect(await scene.ask(prompt).reply?.text == "Hello there, friend", "\(prompt.debugDescription)")
                #expect(scene.calls.count == number + 1)
                #expect(scene.calls.last?.prompt == prompt)
                #expect(scene.calls.last?.text.contains("root:") == false)
            }
        }
    }

    @Test func aMegabyteArrivesAsItIs() async throws {
        let prompt = (0..<20_000).map { "Zeile \($0): äöü \u{1F980} \"quoted\"\t\\ and so on.\n" }.joined()
        #expect(prompt.utf8.count > 1_000_000 - 100_000)
        try await ClaudeCodeScene.run(Self.hello) { scene in
            #expect(await scene.ask(prompt, timeout: 60_000).reply != nil)
            #expect(scene.calls.first?.prompt == prompt)
        }
    }

    // MARK: Warm processes

    @Test func oneProcessAnswersJobsThatNeverSeeEachOther() async throws {
        try await ClaudeCodeScene.run(
            Script { ScriptedClaude.stream($0.prompt?.hasPrefix("secret") == true ? "whispered back" : "fine") }
        ) { scene in
            let started = Recorder<String>()
            scene.register.attach { children in for child in children { started.add("\(child.pid)") } }
            func body(_ prompt: String) -> JSONValue {
                ["messages": [["role": "system", "content": "Be terse."], ["role": "user", "content": .string(prompt)]]]
            }
            var costs: [Double] = []
            for number in 0..<6 {
                let reply = try #require(await scene.ask(body("secret-\(number)-canary")).reply)
                #expect(reply.usage == Usage(inputTokens: 17, outputTokens: 5, cacheReadTokens: 4, cacheWriteTokens: 3))
                costs.append(try #require(reply.cost))
            }
            #expect(Set(started.all).count == 1)
            #expect(Set(costs).count == 1)
            #expect(scene.calls.count == 6)
            for (number, call) in scene.calls.enumerated() {
                #expect(call.prompt == "secret-\(number)-canary")
                #expect(call.json["system"]?.array?.last?["text"] == "Be terse.")
                for other in 0..<6 where other != number { #expect(!call.text.contains("secret-\(other)")) }
                #expect(!call.text.contains("whispered"))
            }
        }
    }

    @Test func jobsThatDifferInWhatAProcessIsStartedWithShareNone() async throws {
        try await ClaudeCodeScene.run(Self.hello) { scene in
            #expect(
                await scene.ask(["messages": [["role": "system", "content": "A"], ["role": "user", "content": "x"]]]).reply != nil)
            #expect(
                await scene.ask(["messages": [["role": "system", "content": "B"], ["role": "user", "content": "x"]]]).reply != nil)
            #expect(await scene.ask(["messages": [["role": "user", "content": "x"]], "max_tokens": 5]).reply != nil)
            #expect(scene.calls.map { $0.json["system"]?.array?.last?["text"]?.string?.count } == [1, 1, 62])
            #expect(scene.provider.pool.counts.living == 3)
        }
    }

    @Test func aProcessIsReplacedAfterSoManyJobs() async throws {
        try await ClaudeCodeScene.run(Self.hello, .init(maxJobs: 2)) { scene in
            let started = Recorder<String>()
            scene.register.attach { children in for child in children { started.add("\(child.pid)") } }
            for _ in 0..<4 { #expect(await scene.ask("Hi").reply != nil) }
            #expect(Set(started.all).count == 2)
        }
    }

    @Test func aProcessIsReplacedWhenItHoldsTooMuch() async throws {
        try await ClaudeCodeScene.run(Self.hello, .init(maxBytes: 1)) { scene in
            for _ in 0..<2 { #expect(await scene.ask("Hi").reply != nil) }
            try await until("both are gone") { scene.register.children.isEmpty }
        }
    }

    @Test func aColdProcessEndsWithItsJob() async throws {
        try await ClaudeCodeScene.run(Self.hello, .init(isWarm: false)) { scene in
            for _ in 0..<2 { #expect(await scene.ask("/cost").reply?.text == "Hello there, friend") }
            try await until("both are gone") { scene.register.children.isEmpty }
            #expect(scene.calls.map(\.prompt) == ["/cost", "/cost"])
        }
    }

    @Test func aProcessThatDiedWhileItWaitedIsNoFaultOfTheNextJob() async throws {
        try await ClaudeCodeScene.run(Self.hello) { scene in
            #expect(await scene.ask("one").reply != nil)
            let child = try #require(scene.register.children.first)
            // Given its job while it is stopped, it dies with it.
            kill(child.pid, SIGSTOP)
            async let second = scene.ask("two")
            try await until("it was taken") { scene.provider.pool.counts.idle == 0 }
            kill(child.pid, SIGKILL)
            #expect(await second.reply != nil)
            #expect(scene.calls.map(\.prompt) == ["one", "two"])
        }
    }

    @Test func anIdleProcessIsNotKeptForEver() async throws {
        try await ClaudeCodeScene.run(Self.hello, .init(idleTime: 50)) { scene in
            #expect(await scene.ask("one").reply != nil)
            try await until("it is gone") { scene.register.children.isEmpty && scene.provider.pool.counts.living == 0 }
            #expect(await scene.ask("two").reply != nil)
        }
    }

    // MARK: Stopping

    @Test func aDeadlineInterruptsAndTheProcessGoesOn() async throws {
        try await ClaudeCodeScene.run(Script { $0.prompt == "hang" ? .hang : ScriptedClaude.stream("fine") }) { scene in
            #expect(await scene.ask("one").reply != nil)
            let child = scene.register.children
            let failure = try #require(await scene.ask("hang", timeout: 1_500).failure)
            #expect(failure.failure == .timedOut)
            #expect(failure.message == "claude had not answered after 1.5s")
            #expect(failure.isMaybePaid)
            #expect(await scene.ask("two").reply?.text == "fine")
            #expect(scene.register.children == child)
            #expect(scene.calls.last?.text.contains("hang") == false)
        }
    }

    @Test func aCancelledTaskAbortsTheRequest() async throws {
        try await ClaudeCodeScene.run(.always(.hang)) { scene in
            let call = Task { await scene.ask("hang") }
            try await within(.seconds(30), "the call") { try await until("the call") { scene.calls.count == 1 } }
            let closed = Task { try await scene.server.waitForClientsToClose(1) }
            call.cancel()
            #expect(await call.value.failure?.failure == .cancelled)
            try await within(.seconds(30), "the request's end") { try await closed.value }
        }
    }

    @Test func shuttingDownEndsProcessesAtWork() async throws {
        try await ClaudeCodeScene.run(.always(.hang)) { scene in
            let call = Task { await scene.ask("hang") }
            try await until("the call") { scene.calls.count == 1 }
            let child = try #require(scene.register.children.first)
            await scene.provider.shutdown()
            #expect(await call.value.failure?.failure == .shutdown)
            #expect(scene.register.children.isEmpty)
            #expect(ChildProcessRegister.startTime(of: child.pid) != child.startTime)
            #expect(await scene.ask("again").failure?.failure == .shutdown)
        }
    }

    @Test func nothingIsLeftOnDisk() async throws {
        try await ClaudeCodeScene.run(Self.hello) { scene in
            #expect(
                await scene.ask(["messages": [["role": "system", "content": "canary"], ["role": "user", "content": "x"]]]).reply != nil)
            let folder = try #require(scene.provider.folder.current)
            let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
            #expect(mode == 0o700)
            // The system text was read, and is gone while the process lives.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["work"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/work") == [])
            await scene.provider.shutdown()
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }

    // MARK: Secrets

    @Test func noArgumentHoldsAPromptOrAKey() async throws {
        let canaries = [ClaudeCodeScene.key, "system-canary", "prompt-canary"]
        try await ClaudeCodeScene.run(Script { $0.isCall ? .hang : ScriptedClaude.error(404, "not_found_error", "") }) { scene in
            let call = Task {
                await scene.ask([
                    "messages": [["role": "system", "content": "system-canary"], ["role": "user", "content": "prompt-canary"]]
                ])
            }
            try await until("the call") { scene.calls.count == 1 }
            let pid = try #require(scene.register.children.first).pid
            let arguments = String(decoding: try Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline")), as: UTF8.self)
            let environment = String(decoding: try Data(contentsOf: URL(filePath: "/proc/\(pid)/environ")), as: UTF8.self)
            #expect(arguments.contains("--system-prompt-file="))
            for canary in canaries { #expect(!arguments.contains(canary)) }
            #expect(environment.contains("ANTHROPIC_API_KEY="))
            #expect(!environment.contains("OPENAI_API_KEY"))
            #expect(!environment.contains("prompt-canary"))
            call.cancel()
            _ = await call.value
        }
    }

    @Test func aServerThatEchoesTheKeyAndThePromptDoesNotSpreadThem() async throws {
        let answer = ScriptedClaude.error(400, "invalid_request_error", "no \(ClaudeCodeScene.key) for: a very secret question of mine")
        try await ClaudeCodeScene.run(.always(answer)) { scene in
            let failure = try #require(await scene.ask("a very secret question of mine").failure)
            #expect(failure.message == "claude failed with status 400 (invalid_request_error): API Error: 400 no *** for: ***")
        }
    }

    // MARK: Checks

    @Test func aCheckAsksForReal() async throws {
        try await ClaudeCodeScene.run(Self.hello) { scene in
            let check = await scene.provider.check(model: "claude-sonnet-5", timeout: 30_000)
            #expect(check.isAvailable)
            #expect(scene.calls.count == 1)
            #expect(await scene.provider.check(model: nil, timeout: 30_000).model == "haiku")
        }
        try await ClaudeCodeScene.run(Self.hello, .init(apiKey: nil)) { scene in
            let failure = try #require(await scene.provider.check(model: "sonnet", timeout: 30_000).failure)
            #expect(failure.failure == .authentication)
            #expect(failure.message == "claude failed: Not logged in · Please run /login")
            #expect(scene.calls.isEmpty)
        }
    }
}
