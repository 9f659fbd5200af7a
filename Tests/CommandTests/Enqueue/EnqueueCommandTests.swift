import AgentQueueModel
import AgentQueueStore
import Testing

@Suite struct EnqueueCommandTests {
    @Test("Prints the number, or the receipt as JSON")
    func receipt() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("enqueue", "first").output == "1\n")
        #expect(try await sandbox.run("enqueue", "second", "--json").output == #"{"id":2,"state":"available","duplicate_of":null}"# + "\n")
    }

    @Test("Every option arrives in the job")
    func options() async throws {
        let sandbox = try Sandbox()
        let ending = try await sandbox.run(
            "enqueue", "the prompt", "--model", "local/other", "--system", "-be brief", "--max-tokens", "12", "--temperature", "0.5",
            "--queue", "nightly", "--priority", "2", "--delay", "1h30m", "--max-attempts", "7", "--timeout", "90s", "--unique-key", "key",
            "--tag", "a", "--tag", "b", "--batch", "monday", "--metadata", "k=v=w", "--no-cache", "--sample", "3", "--expires-in", "2d")
        #expect(ending.status == 0, "\(ending.error)")
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        #expect(job["model"] == "local/other")
        #expect(job["queue"] == "nightly")
        #expect(job["priority"] == 2)
        #expect(job["state"] == "scheduled")
        #expect(job["max_attempts"] == 7)
        #expect(job["timeout"] == 90)
        #expect(job["unique_key"] == "key")
        #expect(job["tags"] == ["a", "b"])
        #expect(job["batch"] == "monday")
        #expect(job["metadata"] == ["k": "v=w"])
        #expect(job["cache"] == false)
        let request = try #require(job["request"])
        #expect(request["messages"]?.array?.map { $0["content"] } == ["-be brief", "the prompt"])
        #expect(request["max_tokens"] == 12)
        #expect(request["temperature"]?.number == 0.5)
        #expect(request["sample"] == 3)
    }

    @Test(
        "Prompts go in byte for byte",
        arguments: [
            "-x", "--", "--help", "-", "'; DROP TABLE jobs; --", "\u{1B}[31mred\u{202E}", "  spaces  ", "日本語 👩‍👩‍👧", "\\u0041 \"quoted\"",
        ])
    func exactPrompt(prompt: String) async throws {
        let sandbox = try Sandbox()
        // A lone `-` is standard input, wherever it stands.
        let isDash = prompt == "-"
        let ending = try await sandbox.run("enqueue", "--", prompt, input: isDash ? Array("from input\n".utf8) : [])
        #expect(ending.status == 0, "\(ending.error)")
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        #expect(job["request"]?["messages"]?.array?.last?["content"] == .string(isDash ? "from input\n" : prompt))
    }

    @Test("A prompt comes from a file")
    func file() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("prompt.txt", "line one\nline two\n")
        #expect(try await sandbox.run("enqueue", "--file", "prompt.txt").status == 0)
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        #expect(job["request"]?["messages"]?.array?.last?["content"] == "line one\nline two\n")
    }

    @Test("Texts become an embed job")
    func embed() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("enqueue", "--embed", "one", "two", "--tag", "t").status == 0)
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        #expect(job["kind"] == "embed")
        #expect(job["request"]?["input"] == ["one", "two"])
        #expect(job["tags"] == ["t"])
    }

    @Test("A unique key names the job that has it, until that is cancelled")
    func uniqueKey() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("enqueue", "x", "--unique-key", "k").output == "1\n")
        let second = try await sandbox.run("enqueue", "y", "--unique-key", "k")
        #expect(second.status == 0)
        #expect(second.output == "1\n")
        #expect(second.sentence?.contains("job 1 already has this unique key") == true)
        #expect(try await sandbox.run("enqueue", "y", "--unique-key", "k", "--json").json.first?["duplicate_of"] == 1)
        _ = try await sandbox.run("cancel", "1")
        let fresh = try #require(try await sandbox.run("enqueue", "y", "--unique-key", "k", "--json").json.first)
        #expect(fresh["id"] != 1 && fresh["duplicate_of"] == .null)
    }

    @Test("A job waits for another, and is cancelled with it")
    func dependency() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "first")
        #expect(try await sandbox.run("enqueue", "second", "--after", "1", "--json").json.first?["state"] == "pending")
        #expect(try await sandbox.run("show", "2", "--json").json.first?["after"] == [1])
    }

    @Test("A job that comes after a cancelled one is cancelled at once, and that is said")
    func dependencyThatHasFailed() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "first")
        _ = try await sandbox.run("cancel", "1")
        let late = try await sandbox.run("enqueue", "second", "--after", "1")
        #expect(late.status == 0)
        #expect(late.output == "2\n")
        #expect(late.sentence?.contains("job 2 is cancelled, for job 1, named by --after, was cancelled") == true, "\(late.error)")
    }

    @Test("With --wait the answer is printed; from the cache at once")
    func wait() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "question")
        try await sandbox.work()
        let text = try await sandbox.run("enqueue", "question", "--wait")
        #expect(text.status == 0)
        #expect(text.output == "an answer\n")
        let json = try await sandbox.run("enqueue", "question", "--wait", "--json")
        #expect(try json.json.first?["result"]?["answered_by"] == "cache")
        #expect(try json.json.first?["result"]?["cost_usd"] == 0)
    }

    @Test("With --wait a job that fails is told of, with exit code 1")
    func waitForFailure() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.run("enqueue", "warm up, so that the database is there")
        async let waiting = sandbox.run("enqueue", "question", "--wait")
        // Whatever is ready is worked on until the waiter's job has come and gone.
        var isDone = false
        while !isDone {
            try await sandbox.work { _ in nil }
            isDone = try await sandbox.withStore { try $0.jobs.list(JobFilter(states: [.discarded]), limit: 10).count == 2 }
        }
        let ending = try await waiting
        #expect(ending.status == 1)
        #expect(ending.output.isEmpty)
        // On a busy machine it may have said before that no worker was running.
        #expect(ending.error.hasSuffix("agent-queue: job 2 failed: the model said \\u{1b}[31mno\n"), "\(ending.error)")
    }
}
