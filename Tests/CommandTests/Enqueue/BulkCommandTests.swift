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
        #expect(ending.error == "2,500 jobs added to local/smollm2\n")
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
        #expect(numbers.error == "3 jobs added to local/smollm2\n")
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
        #expect(ending.error == "2,500 jobs added to local/smollm2\n")
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
        #expect(told[2] == "3 jobs added: 2 to local/m, 1 to local/smollm2, 2 invalid lines skipped")
        let jobs = try await sandbox.run("list", "--json").json
        #expect(jobs.map { $0["custom_id"] } == ["a-1", "o-1", .null])
    }

    @Test("The same ingest adds nothing twice, and goes on where it stopped")
    func ingest() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.lines)
        // A run that dies after its first slice leaves just this behind: the jobs, and the mark of the same transaction.
        let first = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "monday")
        #expect(first.error == "2,500 jobs added to local/smollm2\n")
        let again = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "monday")
        #expect(again.status == 0)
        #expect(again.error == "0 jobs added; all lines had been added before\n")
        #expect(try await sandbox.run("stats", "--json").json.first?["states"]?["available"] == 2_500)

        try sandbox.file("in.jsonl", Self.lines + #"{"prompt": "one more"}"# + "\n")
        let grown = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "monday")
        #expect(grown.error == "1 job added to local/smollm2; lines 1 to 2500 had been added before\n")
        let grownAgain = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--ingest", "monday")
        #expect(grownAgain.error == "0 jobs added; all lines had been added before\n")

        try sandbox.file("in.jsonl", #"{"prompt": "another first"}"# + "\n" + Self.lines)
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

    @Test("Lines in the providers' batch forms go to their providers, and the summary says where and what is missing")
    func targets() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("c.yaml", "providers: { anthropic: { kind: anthropic, api_key_env: NONE_SUCH } }\n")
        let chat =
            #"{"custom_id": "%", "url": "/v1/chat/completions", "body": {"model": "gpt-5", "messages": [{"role": "user", "content": "b"}]}}"#
        let message = #"{"custom_id": "a-1", "params": {"model": "c", "max_tokens": 5, "messages": [{"role": "user", "content": "c"}]}}"#
        try sandbox.file("in.jsonl", [chat.replacing("%", with: "1"), message, chat.replacing("%", with: "2")].joined(separator: "\n"))
        let added = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--config", "c.yaml")
        let told = added.error.split(separator: "\n")
        #expect(told.first == "3 jobs added: 2 to openai/gpt-5, 1 to anthropic/c", "\(added.error)")
        #expect(
            told.dropFirst() == [
                "agent-queue: provider anthropic has no key, so its jobs wait: environment variable NONE_SUCH is not set (put the key there)",
                "agent-queue: provider openai has no key, so its jobs wait: environment variable OPENAI_API_KEY is not set (put the key there)",
            ])
        let local = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--provider", "local")
        #expect(local.error == "3 jobs added: 2 to local/gpt-5, 1 to local/c\n")
        let preview = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--dry-run", "--json")
        #expect(try preview.json.first?["targets"] == ["anthropic/c": 1, "openai/gpt-5": 2])
        let unknown = try await sandbox.run("enqueue", "--jsonl", "in.jsonl", "--provider", "opnai")
        #expect(unknown.status == 64)
        #expect(unknown.sentence == "in.jsonl: unknown provider 'opnai' (did you mean 'openai'?); nothing added")
        let twice = [chat, chat].joined(separator: "\n")
        let repeated = try await sandbox.run("enqueue", "--jsonl", "-", input: Array(twice.utf8))
        #expect(repeated.status == 65)
        #expect(
            repeated.sentence
                == "standard input: line 2: the custom_id is that of an earlier line; give every line its own; nothing added")
    }

    @Test("A row of CSV is a job, with its values in the prompt and as metadata")
    func rows() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("in.csv", "id,text\n7,\"printer, on fire\"\n8,cat\n")
        try sandbox.file("template.txt", "\u{FEFF}Topic of {{text}}?")
        let added = try await sandbox.run("enqueue", "--csv", "in.csv", "--template", "@template.txt", "--ingest", "rows", "--batch", "b")
        #expect(added.error == "2 jobs added to local/smollm2\n")
        let job = try #require(try await sandbox.run("show", "1", "--json").json.first)
        #expect(job["request"]?["messages"]?.array?.first?["content"] == "Topic of printer, on fire?")
        #expect(job["metadata"] == ["id": "7", "text": "printer, on fire"])
        try sandbox.file("in.csv", "id,text\n7,\"printer, on fire\"\n8,cat\n9,dog\n")
        let grown = try await sandbox.run("enqueue", "--csv", "in.csv", "--template", "@template.txt", "--ingest", "rows", "--batch", "b")
        #expect(grown.error == "1 job added to local/smollm2; lines 1 to 3 had been added before\n")
        let other = try await sandbox.run("enqueue", "--csv", "in.csv", "--template", "About {{text}}?", "--ingest", "rows")
        #expect(other.status == 65)
        #expect(
            other.sentence == "the ingest 'rows' was begun with another template; use that one, or choose another --ingest name",
            "\(other.error)")
        let preview = try await sandbox.run("enqueue", "--csv", "in.csv", "--template", "{{id}}: {{text}}", "--dry-run", "--json")
        #expect(try preview.json.first?["jobs"] == 3)
        let objects = try await sandbox.run(
            "enqueue", "--jsonl", "-", "--template", "{{q}}", "--skip-invalid", input: Array(#"{"q":"x"}"#.utf8) + [0x0A] + Array("{}".utf8)
        )
        #expect(objects.error.hasSuffix("1 job added to local/smollm2, 1 invalid line skipped\n"), "\(objects.error)")
        let column = try await sandbox.run("enqueue", "--csv", "in.csv", "--template", "{{txt}}")
        #expect(column.status == 65)
        #expect(
            column.sentence
                == "in.csv: the template names the column 'txt', which is not there (did you mean 'text'? columns: 'id', 'text'); nothing added"
        )
        #expect(try await sandbox.run("enqueue", "--csv", "in.csv").status == 64)
        #expect(try await sandbox.run("enqueue", "x", "--template", "{{a}}").status == 64)
    }
}
