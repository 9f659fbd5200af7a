import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueue

/// Jobs from rows of CSV and from plain objects, by a template.
@Suite struct BulkRowTests {
    private func jobs(_ text: String, _ form: BulkForm, metadata: JSONValue? = nil) async throws -> [NewJob] {
        try await withFolder { folder in
            try write(Array(text.utf8), to: folder + "/in")
            var defaults = JobDraft()
            (defaults.metadata, defaults.tags) = (metadata, ["t"])
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            let run = try BulkEnqueue(input: input, form: form, defaults: defaults, context: context())
            let committed = Committed()
            let survey = try await run.check()
            #expect(try await run.add(survey) { committed.add($0, $1) } == survey.jobs)
            return committed.jobs
        }
    }

    private func prompts(_ text: String, _ form: BulkForm) async throws -> [String?] {
        try await jobs(text, form).map { try JSONValue.parse($0.body)["messages"]?.array?.first?["content"]?.string }
    }

    private func refusal(_ text: String, _ template: String, isCSV: Bool = true) async -> String? {
        do {
            let template = try RowTemplate(template)
            _ = try await jobs(text, isCSV ? .csv(template) : .objects(template))
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func rowsFillInTheTemplateAndAreKeptAsMetadata() async throws {
        let text = "\u{FEFF}id,Full Name,note\r\n1,Ann,\"a, \"\"b\"\"\nc\"\r\n\r\n2,\"\", {{id}} \n3,Ödön,"
        let form = BulkForm.csv(try RowTemplate("{{Full Name}}/{{ id }}: {{note}}"))
        #expect(try await prompts(text, form) == ["Ann/1: a, \"b\"\nc", "/2:  {{id}} ", "Ödön/3: "])
        let jobs = try await jobs(text, form, metadata: ["id": "old", "source": "s"])
        #expect(jobs[0].metadata == ["source": "s", "id": "1", "Full Name": "Ann", "note": "a, \"b\"\nc"])
        #expect(jobs.map(\.tags) == [["t"], ["t"], ["t"]])
    }

    /// 3 MB: records, and the quotes around them, go over the ends of the pieces in which a file is read.
    @Test func recordsMayGoOverTheEndOfAPiece() async throws {
        let rows = (1...40_000).map { "\($0),\"line one,\nline \"\"two\"\" of the field of record \($0)\"\n" }
        let prompts = try await prompts("a,b\n" + rows.joined(), .csv(try RowTemplate("{{a}} {{b}}")))
        #expect(prompts == (1...40_000).map { "\($0) line one,\nline \"two\" of the field of record \($0)" })
    }

    @Test func objectsFillInTheTemplateToo() async throws {
        let text = #"{"q": "Why?", "n": 3, "on": true, "who": {"name": "Ann"}, "none": null, "list": [1, "a"], "a.b": "dotted"}"#
        let template = try RowTemplate("{{q}} {{n}} {{on}} {{who.name}} {{none}} {{list}} {{a.b}} {{who}}")
        #expect(try await prompts(text, .objects(template)) == [#"Why? 3 true Ann  [1,"a"] dotted {"name":"Ann"}"#])
        #expect(try await jobs(text, .objects(template)).first?.metadata == JSONValue.parse(text))
    }

    @Test(arguments: [
        ("{{'{{'}}{{a}}}}", "{{1}}"), (#"{{"{{a}}"}}"#, "{{a}}"), ("{{ 'it''s' }}{{a}}", "it''s1"), ("{a} { {a}", "{a} { {a}"),
    ])
    func bracesCanBeWritten(_ template: String, _ prompt: String) async throws {
        #expect(try await prompts("a\n1\n", .csv(try RowTemplate(template))) == [prompt])
    }

    @Test(arguments: [
        ("a,b\n1,2\n", "{{c}}", "the template names the column 'c', which is not there (columns: 'a', 'b')"),
        ("name,b\n1,2\n", "{{nme}}", "the template names the column 'nme', which is not there (did you mean 'name'? columns: 'name', 'b')"),
        ("a,b\n1\n", "{{a}}", "line 2: the row has 1 field, and the header 2"),
        ("a,b\n1,2,3\n", "{{a}}", "line 2: the row has 3 fields, and the header 2"),
        ("a\n\"x\ny\"\n\"z\"\"\n", "{{a}}", "line 4: field 1 begins with a quote that is not closed"),
        ("a\nx\"y\n", "{{a}}", "line 2: field 1 holds a quote but does not begin with one (put the field in quotes, and its quotes twice)"),
        ("a\n\"x\"y\n", "{{a}}", "line 2: field 1 goes on after its closing quote (write a quote inside it twice)"),
        ("a,a\n1,2\n", "{{a}}", "line 1: two columns are named 'a'"), ("a,\n1,2\n", "{{a}}", "line 1: column 2 has no name"),
        ("", "{{a}}", "the file is empty: its first line must name the columns"),
        ("a;b\n1;2\n", "{{a}}", "line 1: the columns are separated by ';', not by commas (convert the file to CSV)"),
        ("a\n1\n", "{{a", "the template has {{ without }} (write {{'{{'}} for the braces themselves)"),
        ("a\n1\n", "{{ }}", "the template has {{}}, which names no column"),
        ("a,b\n1,2\n,3\n", "{{a}}", "line 3: the prompt is empty"),
    ])
    func faultsNameTheLine(_ text: String, _ template: String, _ sentence: String) async {
        #expect(await refusal(text, template) == sentence)
    }

    @Test func anObjectWithoutTheNameIsRefused() async {
        let sentence = await refusal("{\"a\":1}\n{\"b\":2}\n", "{{a}}", isCSV: false)
        #expect(sentence == "line 2: the template names the column 'a', which is not there (columns: 'b')")
    }
}

/// What is found in a whole file, and not in one line.
@Suite struct BulkFileTests {
    private func line(_ id: String, _ prompt: String) -> String { #"{"custom_id":"\#(id)","prompt":"\#(prompt)"}"# }

    @Test func aCustomIDMayStandInAFileOnce() async throws {
        try await withFolder { folder in
            let many = (1...5_000).map { line("id-\($0)", "x") }
            try write(
                Array((many + [line("id-17", "y"), line("last", "z"), line("last", "z")]).joined(separator: "\n").utf8), to: folder + "/in")
            let run = try BulkEnqueue(
                input: try BulkInput(path: folder + "/in", spoolFolder: folder), defaults: JobDraft(), context: context())
            let sentence = "line 5001: the custom_id is that of an earlier line; give every line its own"
            await #expect(throws: InputError(sentence, kind: .badData)) { try await run.check() }
            var bad: [Int] = []
            let survey = try await run.check(skippingInvalid: { line, _ in bad.append(line) })
            #expect((bad, survey.jobs, survey.skipped) == ([5_001, 5_003], 5_001, 2))
            let committed = Committed()
            #expect(try await run.add(survey) { committed.add($0, $1) } == 5_001)
        }
    }

    @Test func customIDsThatDifferByUnicodeFormAreTwo() async throws {
        try await withFolder { folder in
            try write(Array((line("caf\u{E9}", "x") + "\n" + line("cafe\u{301}", "y")).utf8), to: folder + "/in")
            let run = try BulkEnqueue(
                input: try BulkInput(path: folder + "/in", spoolFolder: folder), defaults: JobDraft(), context: context())
            #expect(try await run.check().jobs == 2)
        }
    }

    @Test func anUnknownProviderIsRefusedBeforeAnythingIsRead() async throws {
        try await withFolder { folder in
            try write([], to: folder + "/in")
            let input = try BulkInput(path: folder + "/in", spoolFolder: folder)
            #expect(
                throws: InputError("unknown provider 'opnai' (did you mean 'openai'?)", kind: .usage)
            ) {
                try BulkEnqueue(input: input, defaults: JobDraft(), context: context(), provider: "opnai")
            }
        }
    }

    /// The digest of the beginning tells a file that has grown from one that was changed.
    @Test func theDigestOfTheBeginningIsThatOfTheEarlierFile() throws {
        func digest(_ text: String, prefix: Int64?, chunk: Int = 7) -> ContentDigest {
            var hasher = ContentHasher(prefixSize: prefix)
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: chunk) {
                bytes[start..<min(start + chunk, bytes.count)].withUnsafeBytes { hasher.update($0) }
            }
            return hasher.digest
        }
        for old in ["line one\nline two\n", "line one\nline two", ""] {
            let before = digest(old, prefix: nil)
            for chunk in 1...20 {
                #expect(digest(old + "\nline three\n", prefix: before.size, chunk: chunk).prefix == before.sha256, "\(chunk)")
                #expect(digest(old, prefix: before.size, chunk: chunk).prefix == nil)
            }
        }
        let before = digest("line one\nline two", prefix: nil)
        #expect(digest("line one\nline two and more\n", prefix: before.size).prefix == nil)
        #expect(digest("line ONE\nline two\nline three\n", prefix: before.size).prefix != before.sha256)
    }
}
