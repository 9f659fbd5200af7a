import AgentQueueModel
import Testing

/// `results`: what it shows, what it says it leaves out, and its columns.
@Suite struct ResultsTests {
    @Test("What is left out is said, and --all includes it")
    func leftOut() async throws {
        let sandbox = try Sandbox()
        for prompt in ["yes one", "yes two", "no", "no again"] { _ = try await sandbox.run("enqueue", prompt, "--batch", "b") }
        try await sandbox.work { $0.contains("yes") ? "fine" : nil }
        _ = try await sandbox.run("enqueue", "later", "--batch", "b", "--delay", "1h")
        let results = try await sandbox.run("results", "--batch", "b", "--json")
        #expect(results.status == 0)
        #expect(try results.json.map { $0["id"] } == [1, 2])
        #expect(results.sentence == "2 failed and 1 unfinished jobs are not shown: --all includes failed ones")
        let all = try await sandbox.run("results", "--batch", "b", "--all", "--json")
        #expect(try all.json.map { $0["id"] } == [1, 2, 3, 4])
        #expect(all.sentence == "1 unfinished job is not shown")
        #expect(try await sandbox.run("results", "--state", "failed", "--json").error.isEmpty, "the user has chosen")
        _ = try await sandbox.run("cancel", "5")
        let openAI = try await sandbox.run("results", "--format", "openai-batch")
        #expect(openAI.lines.count == 5 && openAI.error.isEmpty)
        let table = try await sandbox.run("results", "--search", "no")
        #expect(table.sentence == "2 failed jobs are not shown: --all includes failed ones")
        #expect(
            try await sandbox.run("results").sentence
                == "2 failed and 1 cancelled jobs are not shown: --all includes failed and cancelled ones")
    }

    private static let lines = #"""
        {"prompt": "One, \"two\"", "custom_id": "a", "metadata": {"lang": "en", "n": 3}, "schema": {"type": "object", "properties": {"mood": {"type": "string"}, "score": {"type": "number"}, "words": {"type": "array", "items": {"type": "string"}}}}}
        {"prompt": "Three", "metadata": {"author": {"name": "Ada"}}}
        {"prompt": "Four", "schema": {"type": "object", "properties": {"deep": {"type": "object", "properties": {"x": {"type": "integer"}}}}}}
        {"prompt": "Fails", "metadata": {"lang": "de"}}
        """#

    private func sandbox() async throws -> Sandbox {
        let sandbox = try Sandbox()
        try sandbox.file("in.jsonl", Self.lines)
        try #require(try await sandbox.run("enqueue", "--jsonl", "in.jsonl").status == 0)
        try await sandbox.work { body in
            if body.contains("Fails") { return nil }
            if body.contains("deep") { return #"{"deep": {"x": 1}}"# }
            return body.contains("mood") ? #"{"mood": "gay, calm", "score": 0.50, "words": ["a", "b"]}"# : "plain"
        }
        return sandbox
    }

    @Test("JSON has the parsed value of a reply with a schema")
    func output() async throws {
        let sandbox = try await sandbox()
        let jobs = try await sandbox.run("results", "--all", "--format", "jsonl").json
        #expect(jobs[0]["output"]?["mood"] == "gay, calm")
        #expect(jobs[0]["output"]?["words"] == ["a", "b"])
        #expect(jobs[1]["output"] == .null)
        #expect(jobs[2]["output"] == ["deep": ["x": 1]])
        #expect(jobs[3]["output"] == .null)
    }

    @Test("CSV has a column for each metadata key and each property of a flat schema")
    func columns() async throws {
        let sandbox = try await sandbox()
        let csv = try await sandbox.run("results", "--all", "--format", "csv").lines
        let header = try #require(csv.first).split(separator: ",").map(String.init)
        #expect(header.starts(with: ["id", "custom_id", "state"]))
        #expect(
            header.suffix(9) == [
                "error_class", "prompt", "output", "metadata.lang", "metadata.n", "metadata.author", "output.mood", "output.score",
                "output.words",
            ])
        #expect(csv[1].contains(#","One, ""two""","#))
        #expect(csv[1].hasSuffix(#",en,3,,"gay, calm",0.5,"[""a"",""b""]""#))
        #expect(csv[2].hasSuffix(#",Three,,,,"{""name"":""Ada""}",,,"#))
        #expect(csv[3].contains(#","{""deep"":{""x"":1}}","#))
        #expect(csv[4].contains(",permanent,Fails,,de,"))
        // What is left out has no column of its own to stand in, but its keys are there: the header does not depend on who finished first.
        #expect(try await sandbox.run("results", "--format", "csv").lines.first == csv.first)
    }

    @Test("--columns chooses, in CSV and in JSON")
    func chosenColumns() async throws {
        let sandbox = try await sandbox()
        let csv = try await sandbox.run("results", "--format", "csv", "--columns", "id,metadata.lang", "--columns", "output.score,tags")
        #expect(csv.lines == ["id,metadata.lang,output.score,tags", "1,en,0.5,", "2,,,", "3,,,"])
        let json = try await sandbox.run("results", "--json", "--columns", "custom_id,output.mood,metadata.n,error_class", "--limit", "1")
        #expect(try json.json == [["custom_id": "a", "output.mood": "gay, calm", "metadata.n": 3, "error_class": .null]])
    }

    @Test("The header of CSV is there without jobs")
    func emptyCSV() async throws {
        let sandbox = try Sandbox()
        try await sandbox.makeDatabase()
        let csv = try await sandbox.run("results", "--format", "csv")
        #expect(csv.lines.count == 1 && csv.lines[0].hasSuffix(",error,error_class,prompt"))
        #expect(csv.error.isEmpty)
    }
}
