import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueProviders

/// Programs that misbehave, as shell scripts.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ClaudeCodeProcessTests {
    /// Lends a provider whose program is a script.
    private func withFake<Value>(
        _ body: String, version: String = "2.1.300 (Claude Code)", _ options: ClaudeCodeScene.Options = .init(patience: 100),
        _ use: (ClaudeCodeScene) async throws -> Value
    ) async throws -> Value {
        try await ClaudeCodeScene.withScript(FakeClaude.script(version: version, body)) { path in
            var options = options
            options.command = path
            return try await ClaudeCodeScene.run(.always(.hang), options, use)
        }
    }

    private func isGone(_ pid: Int32) -> Bool { kill(pid, 0) != 0 && errno == ESRCH }

    // MARK: Ends

    @Test func aHungProgramIsKilledWithItsWholeGroup() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "aq-pid-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        // It ignores SIGTERM, and so does what it started, which holds its outputs.
        try await withFake("trap '' TERM; sleep 1000 & echo $! >\(file).new; mv \(file).new \(file); read line; while :; do sleep 1; done")
        { scene in
            let call = Task { await scene.ask("hi", timeout: 300) }
            try await until("it runs") { FileManager.default.fileExists(atPath: file) }
            // Starting it is not what is measured, and takes its time on a busy machine.
            let start = ContinuousClock.now
            let failure = try #require(await call.value.failure)
            #expect(failure.failure == .timedOut)
            // The caller does not wait for the killing.
            #expect(ContinuousClock.now - start < .seconds(4))
            let child = try #require(scene.register.children.first)
            let grandchild = try #require(
                Int32(try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(!isGone(grandchild))
            try await until("it is reaped") { scene.register.children.isEmpty }
            #expect(isGone(child.pid))
            try await until("its group is gone") { isGone(grandchild) }
        }
    }

    @Test func aResultIsTheEndAlthoughTheProgramGoesOn() async throws {
        try await withFake("read line; \(FakeClaude.answer()); exec sleep 1000", .init(isWarm: false)) { scene in
            let reply = try #require(await scene.ask("hi").reply)
            #expect(reply.text == "answer 1")
            #expect(reply.cost == 0.5)
            #expect(scene.register.children.count == 1)
        }
    }

    @Test func aProgramThatEndsWithoutAWordIsWorthAnotherTry() async throws {
        try await withFake("read line; kill -TERM $$") { scene in
            let failure = try #require(await scene.ask("hi").failure)
            #expect(failure.failure == .retryable)
            #expect(failure.message == "claude was ended by signal 15 before it answered")
            #expect(!failure.isMaybePaid)
        }
        try await withFake(#"read line; echo '{"type":"system","subtype":"init"}'; exit 143"#) { scene in
            let failure = try #require(await scene.ask("hi").failure)
            #expect(failure.failure == .retryable)
            #expect(failure.message == "claude ended with 143 before it answered")
            #expect(failure.isMaybePaid)
        }
    }

    @Test func aUsageErrorIsNotTriedAgainAndItsWordsAreCleaned() async throws {
        let script = #"printf 'error: \033[31munknown option \#(ClaudeCodeScene.key)\033[0m and a long enough prompt\n' >&2; exit 1"#
        try await withFake(script) { scene in
            let failure = try #require(await scene.ask("a long enough prompt").failure)
            #expect(failure.failure == .permanent)
            #expect(failure.message == "claude ended with 1 before it answered: error: [31munknown option *** [0m and ***")
        }
    }

    @Test func aStartThatFailsForAnotherReasonIsWorthAnotherTry() async throws {
        try await withFake("echo 'ENOSPC: no space left on device' >&2; exit 1") { scene in
            let failure = try #require(await scene.ask("hi").failure)
            #expect(failure.failure == .retryable)
            #expect(failure.scope == .provider)
            #expect(failure.message == "claude ended with 1 before it answered: ENOSPC: no space left on device")
        }
    }

    @Test func aProgramThatCannotBeStartedSaysSo() async throws {
        try await ClaudeCodeScene.run(.always(.hang), .init(command: "/nonexistent/claude")) { scene in
            let failure = try #require(await scene.ask("hi").failure)
            #expect(failure.failure == .retryable)
            #expect(failure.scope == .provider)
            #expect(failure.message.hasPrefix("claude cannot be started: "))
            #expect(scene.register.children.isEmpty)
        }
    }

    @Test func aLineWithoutEndIsNotKept() async throws {
        try await withFake("read line; printf '{'; head -c 34000000 /dev/zero | tr '\\0' x; exec sleep 1000") { scene in
            let failure = try #require(await scene.ask("hi").failure)
            #expect(failure.failure == .invalidReply)
            #expect(failure.message == "claude printed a line too long to read")
        }
    }

    @Test func aProgramThatDoesNotReadIsNotWaitedFor() async throws {
        try await withFake("exec sleep 1000") { scene in
            // More than a pipe holds.
            let failure = try #require(await scene.ask(String(repeating: "x", count: 300_000), timeout: 200).failure)
            #expect(failure.failure == .timedOut)
        }
    }

    @Test func aProgramThatClosesItsOutputIsNotWaitedFor() async throws {
        try await withFake("read line; exec >&-; exec sleep 1000") { scene in
            let failure = try #require(await scene.ask("hi", timeout: 60_000).failure)
            #expect(failure.failure == .retryable)
            #expect(failure.message == "claude stopped answering")
            try await until("it is reaped") { scene.register.children.isEmpty }
        }
    }

    @Test func aFalseSuccessIsNone() async throws {
        let lie =
            #"{"type":"result","subtype":"success","is_error":false,"num_turns":0,"result":"/cost isn't available","total_cost_usd":0}"#
        try await withFake("read line; cat <<'E'\n\(lie)\nE\nread line") { scene in
            #expect(await scene.ask("hi").failure?.failure == .invalidReply)
        }
    }

    // MARK: Forgetting

    @Test func aProgramThatDoesNotForgetGetsNoOtherJob() async throws {
        // Its result comes without a word that the conversation was reset.
        let loop = "n=0; while read line; do n=$((n+1)); \(FakeClaude.answer("$n")); done"
        try await withFake(loop) { scene in
            for _ in 0..<3 { #expect(await scene.ask("hi").reply?.text == "answer 1") }
        }
    }

    @Test func aProgramThatForgetsIsAskedAgain() async throws {
        let loop = "n=0; while read line; do n=$((n+1)); \(FakeClaude.answer("$n")); read line; \(FakeClaude.cleared); done"
        try await withFake(loop) { scene in
            for number in 1...3 { #expect(await scene.ask("hi").reply?.text == "answer \(number)") }
            #expect(scene.register.children.count == 1)
        }
    }

    @Test func onlySoManyWaitForAJob() async throws {
        let loop = "while read line; do \(FakeClaude.answer()); read line; \(FakeClaude.cleared); done"
        try await withFake(loop, .init(maxIdle: 2)) { scene in
            for number in 1...4 {
                #expect(
                    await scene.ask(["messages": [["role": "user", "content": "x"]], "max_tokens": .integer(Int64(number))]).reply != nil
                )
            }
            try await until("two are gone") { scene.provider.pool.counts == (2, 2) }
        }
    }

    @Test func jobsAtOnceHaveAProcessEach() async throws {
        let loop = "while read line; do \(FakeClaude.answer("$$")); read line; \(FakeClaude.cleared); done"
        try await withFake(loop) { scene in
            let request = ModelRequest(
                kind: .generate, target: Target(provider: "p", model: "m"), body: ["messages": [["role": "user", "content": "x"]]])
            let outcomes = await scene.provider.respond(to: Array(repeating: request, count: 8), CallOptions(timeout: 20_000))
            #expect(Set(outcomes.compactMap(\.reply?.text)).count == 8)
        }
    }

    // MARK: Old programs

    @Test(arguments: ["2.1.247 (Claude Code)", "1.0.3", "no version at all"]) func anOldProgramIsNotGivenWhatItWouldMisread(version: String)
        async throws
    {
        let known = ClaudeCodeVersion(version)
        let which = known.map { "claude \($0)" } ?? "claude does not say its version, and an old one"
        let expected = known == nil ? FailureClass.retryable : .permanent
        let body = "case \"$*\" in *--bare*) bare=1;; *) bare=0;; esac; read line; \(FakeClaude.answer("$bare")); cat >/dev/null"
        for (key, bare) in [(ClaudeCodeScene.key, "1"), (nil, "0")] {
            try await withFake(body, version: version, .init(apiKey: key)) { scene in
                #expect(await scene.ask("hi").reply?.text == "answer \(bare)")
                let command = try #require(await scene.ask(" /cost").failure)
                #expect(command.failure == expected)
                #expect(!command.wasSent)
                #expect(
                    command.message == "\(which) would take a prompt that begins with '/' for a command: update it to 2.1.248 or later")
                let file = await scene.ask("see @/etc/passwd")
                if key == nil {
                    #expect(file.failure?.failure == expected)
                    #expect(file.failure?.message.contains("would send along files that a prompt names with '@'") == true)
                } else {
                    #expect(file.reply != nil)
                }
            }
        }
    }

    @Test func aVersionThatWasNotSaidIsAskedForAgain() async throws {
        let mark = FileManager.default.temporaryDirectory.appending(path: "aq-mark-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: mark) }
        let script = """
            #!/bin/sh
            if [ "$1" = --version ]; then if [ -e \(mark) ]; then echo 2.1.300; else : >\(mark); exit 1; fi; exit 0; fi
            read line; \(FakeClaude.answer())
            """
        try await ClaudeCodeScene.withScript(script) { path in
            try await ClaudeCodeScene.run(.always(.hang), .init(command: path)) { scene in
                #expect(await scene.ask("/cost").failure?.failure == .retryable)
                #expect(await scene.ask("/cost").reply?.text == "answer 1")
            }
        }
    }

    @Test func aProgramThatDoesNotSayItsVersionIsNotWaitedForByACancelledTask() async throws {
        try await ClaudeCodeScene.withScript("#!/bin/sh\nexec sleep 3\n") { path in
            try await ClaudeCodeScene.run(.always(.hang), .init(command: path)) { scene in
                let start = ContinuousClock.now
                let call = Task { await scene.ask("hi") }
                call.cancel()
                #expect(await call.value.failure?.failure == .cancelled)
                #expect(ContinuousClock.now - start < .seconds(2))
            }
        }
    }

    // MARK: The register

    @Test func aChildIsNotedBeforeItsJobAndForgottenWhenItIsReaped() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "aq-noted-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await withFake("while read line; do : >\(file); \(FakeClaude.answer()); done", .init(isWarm: false)) { scene in
            let seen = Recorder<String>()
            scene.register.attach { children in
                // No job has reached a child when it is noted.
                seen.add("\(children.count) \(FileManager.default.fileExists(atPath: file))")
            }
            #expect(await scene.ask("hi").reply != nil)
            try await until("it is reaped") { scene.register.children.isEmpty }
            #expect(seen.all == ["0 false", "1 false", "0 true"])
        }
    }
}
