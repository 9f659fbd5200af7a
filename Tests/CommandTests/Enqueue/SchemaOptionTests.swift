import AgentQueueModel
import Testing

/// `enqueue --schema`
@Suite struct SchemaOptionTests {
    private static let person = #"{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}"#

    @Test("The schema lands in the request")
    func lands() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("person.json", Self.person)
        #expect(try await sandbox.run("enqueue", "--schema", "person.json", "Who wrote Faust?").status == 0)
        #expect(try await sandbox.run("enqueue", "--schema", "-", "Who?", input: Array(Self.person.utf8)).status == 0)
        try sandbox.file("in.jsonl", #"{"prompt": "Who?"}"#)
        #expect(try await sandbox.run("enqueue", "--schema", "person.json", "--jsonl", "in.jsonl").status == 0)
        let expected = try JSONValue.parse(Self.person).text
        for id in ["1", "2", "3"] {
            let request = try #require(try await sandbox.run("show", id, "--json").json.first?["request"])
            #expect(request["response_format"]?["type"] == "json_schema", "\(id)")
            let schema = try #require(request["response_format"]?["json_schema"]?["schema"])
            #expect(schema.text == expected, "\(id)")
        }
    }

    @Test("Two prompts that differ in their schema alone are two requests")
    func digest() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("person.json", Self.person)
        _ = try await sandbox.run("enqueue", "Who?")
        _ = try await sandbox.run("enqueue", "Who?", "--schema", "person.json")
        let digests = try await sandbox.run("list", "--json").json.map { $0["digest"] }
        #expect(digests.count == 2 && digests[0] != digests[1])
    }

    @Test(
        "What answers cannot be checked by is refused, with the file and the place in it",
        arguments: [
            (#"{"type": "object", "properties": {"a": {"type": "integr"}}}"#, "cannot be used: at /properties/a: type must be one of"),
            (##"{"$ref": "#/definitions/none"}"##, "cannot be used: $ref '#/definitions/none' leads to nothing"),
            (#"{"type": "#, "is not valid JSON at byte 10: it ends too early"), ("", "is not valid JSON"),
            (#"{"type": "object"} more"#, "is not valid JSON"), ("[1]", "must be an object, not a list"),
        ])
    func refuses(text: String, says: String) async throws {
        let sandbox = try Sandbox()
        try sandbox.file("bad.json", text)
        let one = try await sandbox.run("enqueue", "x", "--schema", "bad.json")
        #expect(one.status == 65)
        #expect(one.sentence?.hasPrefix("the schema in 'bad.json' \(says)") == true, "\(one.error)")
        let many = try await sandbox.run("enqueue", "--schema", "bad.json", "--jsonl", "-", input: Array(#"{"prompt": "x"}"#.utf8))
        #expect(many.status == 65)
        #expect(many.sentence == one.sentence)
        #expect(try await sandbox.run("list", "--json").output.isEmpty)
    }

    @Test("A line's own schema is checked too")
    func line() async throws {
        let sandbox = try Sandbox()
        try sandbox.file(
            "in.jsonl", #"{"prompt": "x", "schema": {"type": "object"}}"# + "\n" + #"{"prompt": "y", "schema": {"type": "thing"}}"#)
        let ending = try await sandbox.run("enqueue", "--jsonl", "in.jsonl")
        #expect(ending.status == 65)
        #expect(ending.sentence?.hasPrefix("in.jsonl: line 2: schema cannot be used: ") == true, "\(ending.error)")
    }

    @Test("A file that may not be read has its code")
    func unreadable() async throws {
        let sandbox = try Sandbox()
        // Opening /proc/self/mem and reading where nothing is mapped fails for root as well.
        let ending = try await sandbox.run("enqueue", "x", "--schema", "/proc/self/mem")
        #expect(ending.status == 74, "\(ending.error)")
        #expect(ending.sentence?.hasPrefix("cannot read '/proc/self/mem': ") == true, "\(ending.error)")
    }

    @Test("A byte order mark before the schema is forgiven")
    func mark() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("person.json", "\u{FEFF}" + Self.person)
        #expect(try await sandbox.run("enqueue", "--schema", "person.json", "Who?").status == 0)
    }

    @Test("Fields between commas are a schema, unless a file has that name")
    func fields() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("person", Self.person)
        for (given, fields) in [("name, born int", ["name", "born"]), ("person", ["name"]), ("city", ["city"])] {
            let added = try await sandbox.run("enqueue", "--schema", given, "Who?")
            #expect(added.status == 0, "\(added.error)")
            let id = try #require(added.lines.first)
            let shown = try #require(try await sandbox.run("show", id, "--json").json.first?["request"])
            let properties = shown["response_format"]?["json_schema"]?["schema"]?["properties"]
            #expect(Set((properties?.members ?? []).map(\.key)) == Set(fields))
        }
        let unknown = try await sandbox.run("enqueue", "--schema", "name, born itn", "Who?")
        #expect(unknown.status == 64)
        #expect(unknown.sentence == "--schema 'name, born itn' has the unknown type 'itn' for 'born' (did you mean 'int'?)")
        let missing = try await sandbox.run("enqueue", "--schema", "persn.json", "Who?")
        #expect(missing.status == 64)
        #expect(missing.sentence == "cannot open 'persn.json': no such file or directory")
    }
}
