import AgentQueueModel
import Testing

@Suite struct BulkCommandTests {
    private static let lines = (1...2_500).map { #"{"prompt": "question \#($0)"}"# }.joined(separator: "\n") + "\n"
    private static let mixed = """
        {"prompt": "a", "tags": ["own"]}
        {"prompt":
        {"custom_id": "o-1", "url": "/v1/chat/completions", "body": {"model": "local/m", "messages": [{"role": "user", "content": "b"}]}}
        {"custom_id": "a-1", "params": {"model": "local/m", "max_tokens": 5, "messages": [{"role": "user", "content": "c"}]}}
        {"promt": "d"}

        """

    @Test("Adds a job a line, with the options where a line is silent; says how many, and prints nothing")
    func adds() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.lines)
        let ending = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--batch", "monday", "--priority", "3")
        #expect(ending.status == 0)
        #expect(ending.output.isEmpty)
        #expect(ending.error == "2500 jobs added\n")
        let last = try #require(try await sandbox.run("show", "2500", "--json").json.first)
        #expect(last["batch"] == "monday")
        #expect(last["priority"] == 3)
        #expect(last["request"]?["messages"]?.array?.first?["content"] == "question 2500")
    }

    @Test("Prints numbers or receipts when asked")
    func prints() async throws {
        let sandbox = try Sandbox()
        let three = Array(Self.lines.split(separator: "\n").prefix(3).joined(separator: "\n").utf8)
        let numbers = try await sandbox.run("enqueue", "--jsonl", "-", "--print-ids", input: three)
        #expect(numbers.lines == ["1", "2", "3"])
        #expect(numbers.error == "3 jobs added\n")
        let receipts = try await sandbox.run("enqueue", "--jsonl", "-", "--json", input: three)
        #expect(try receipts.json.map { $0["id"] } == [4, 5, 6])
        #expect(try receipts.json.allSatisfy { $0["state"] == "available" && $0["duplicate_of"] == .null })
    }

    @Test("A pipe is read as a file is")
    func pipe() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.lines)
        let ending = try await sandbox.shell(#"cat in.jsonl | "$AQ" enqueue --jsonl -"#)
        #expect(ending.status == 0)
        #expect(ending.error == "2500 jobs added\n")
    }

    @Test("A bad line stops the run with its number, and nothing is added")
    func badLine() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.mixed)
        let ending = try await sandbox.run("enqueue", "--jsonl", "in.jsonl")
        #expect(ending.status == 65)
        #expect(ending.sentence?.hasPrefix("in.jsonl: line 2: not valid JSON") == true)
        #expect(ending.sentence?.hasSuffix("nothing added") == true)
        #expect(try await sandbox.run("list", "--json").output.isEmpty)
    }

    @Test("A bad line at the end of many stops the run before the first is added")
    func lateBadLine() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.lines + "[]\n")
        let ending = try await sandbox.run("enqueue", "--jsonl", "in.jsonl")
        #expect(ending.status == 65)
        #expect(ending.sentence?.contains("line 2501") == true)
        #expect(try await sandbox.run("list", "--json").output.isEmpty)
    }

    @Test("With --skip-invalid bad lines are reported and skipped")
    func skips() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.mixed)
        let ending = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--skip-invalid")
        #expect(ending.status == 0)
        let told = ending.error.split(separator: "\n")
        #expect(told.count == 3)
        #expect(told[0].hasPrefix("agent-queue: in.jsonl: line 2: "))
        #expect(told[1].hasPrefix("agent-queue: in.jsonl: line 5: unknown key 'promt' (did you mean 'prompt'?)"))
        #expect(told[2] == "3 jobs added, 2 invalid lines skipped")
        let jobs = try await sandbox.run("list", "--json").json
        #expect(jobs.map { $0["custom_id"] } == ["a-1", "o-1", .null])
    }

    @Test("The same ingest adds nothing twice, and goes on where it stopped")
    func ingest() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.lines)
        // A run that dies after its first slice leaves just this behind: the jobs, and the mark of the same transaction.
        let first = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "monday")
        #expect(first.error == "2500 jobs added\n")
        let again = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "monday")
        #expect(again.status == 0)
        #expect(again.error == "0 jobs added; all lines had been added before\n")
        #expect(try await sandbox.run("stats", "--json").json.first?["states"]?["available"] == 2_500)

        try sandbox.file("in.jsonl", Self.lines + #"{"prompt": "one more"}"# + "\n")
        let other = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "monday")
        #expect(other.status == 65)
        #expect(other.sentence?.contains("'monday' was begun with another input") == true)
    }

    @Test("A killed ingest goes on where it stopped: every line once")
    func killedIngest() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", (1...30_000).map { #"{"prompt": "question \#($0)"}"# }.joined(separator: "\n"))
        // Killed when it has printed its first numbers: in the middle of its slices, or a little later.
        let killed = try await sandbox.shell(
            #"""
            "$AQ" enqueue --jsonl in.jsonl --ingest big --print-ids > ids & child=$!
            while [ ! -s ids ] && kill -0 $child 2>/dev/null; do :; done
            kill -KILL $child; wait $child; true
            """#)
        #expect(killed.status == 0)
        let rest = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "big")
        #expect(rest.status == 0, "\(rest.error)")
        #expect(try await sandbox.run("stats", "--json").json.first?["states"]?["available"] == 30_000)
        let check = try await sandbox.run("database", "check")
        #expect(check.status == 0, "\(check.error)")
    }
}
