import Testing

/// What is wrong with a memory command gets one sentence and its exit code, and stores nothing. No model is there to be called.
@Suite struct MemoryUsageTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let status: Int32
        /// A part of the sentence.
        let says: String

        init(_ arguments: String..., status: Int32 = 64, says: String) {
            self.arguments = ["memory"] + arguments
            self.status = status
            self.says = says
        }

        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let cases = [
        Case("stor", says: "unknown command 'stor' (did you mean 'store'?)"),
        Case("store", says: "missing text"),
        Case("store", "", status: 65, says: "the text is empty"),
        Case("store", "x", "--file", "y", says: "texts, --file and --jsonl are mutually exclusive"),
        Case("store", "--file", "missing.txt", says: "no such file"),
        Case("store", "--jsonl", "missing.jsonl", says: "no such file"),
        Case("store", "x", "y", "--key", "k", says: "--key takes a single text"),
        Case("store", "x", "y", "--vector", "[1]", says: "--vector takes a single text"),
        Case("store", "--jsonl", "f", "--key", "k", says: "put \"key\" in the lines"),
        Case("store", "x", "--namespace", "a,b", says: "cannot hold commas"),
        Case("store", "x", "--namespace", "", says: "a namespace needs a name"),
        Case("store", "x", "--importance", "2", status: 65, says: "importance must be 0 to 1, not 2"),
        Case("store", "x", "--importance", "-1", status: 65, says: "importance must be 0 to 1"),
        Case("store", "x", "--importance", "nan", status: 65, says: "importance must be 0 to 1"),
        Case("store", "x", "--ttl", "soon", says: "--ttl 'soon' is not a duration"),
        Case("store", "x", "--ttl", "0s", status: 65, says: "the time to live must be more than 0"),
        Case("store", "x", "--metadata", "novalue", says: "not of the form key=value"),
        Case("store", "x", "--metadata", "{\"a\": }", says: "--metadata is not valid JSON"),
        Case("store", "x", "--metadata", "{}", "--metadata", "a=b", says: "not both"),
        Case("store", "x", "--key", "", status: 65, says: "the key is empty"),
        Case("store", "x", "--vector", "1", status: 65, says: "the vector must be a list of numbers"),
        Case("store", "x", "--vector", "[]", status: 65, says: "the vector has no values"),
        Case("store", "x", "--vector", "[0, 0]", status: 65, says: "the vector has no direction"),
        Case("store", "x", "--vector", "[1, NaN]", status: 65, says: "the vector is not valid JSON at byte 5"),
        Case("store", "x", "--vector", "[1, 1e39]", status: 65, says: "value 2 of the vector is not a finite number"),
        Case("store", "x", "--vector", "[\"1\"]", status: 65, says: "value 1 of the vector must be a number"),
        Case("search", says: "missing query"),
        Case("search", "", says: "the text to look for is empty"),
        Case("search", "x", status: 65, says: "there is no namespace 'default' (there is none yet)"),
        Case("search", "x", "--limit", "0", says: "--limit must be 1 to 10000, not 0"),
        Case("search", "x", "--limit", "10001", says: "--limit must be 1 to 10000"),
        Case("search", "x", "--mode", "near", says: "--mode: unknown 'near' (vector, words, hybrid)"),
        Case("search", "x", "--mode", "vectr", says: "--mode: unknown 'vectr' (did you mean 'vector'?)"),
        Case("search", "x", "--metric", "l2", says: "--metric: unknown 'l2'"),
        Case("search", "x", "--scan", "fast", says: "--scan: unknown 'fast'"),
        Case("search", "x", "--where", "topic =", says: "--where: column 8"),
        Case("search", "x", "--where", "a = 1 and", says: "--where: column"),
        Case("search", "x", "--since", "whenever", says: "--since: 'whenever' is not a time"),
        Case("search", "x", "--since", "1h", "--max-age", "1h", says: "mutually exclusive"),
        Case("search", "x", "--half-life", "1d", says: "--half-life requires --recency-weight"),
        Case("search", "x", "--diversity", "2", says: "relevance"),
        Case("search", "x", "--min-importance", "2", says: "importance is 0 to 1"),
        Case("search", "x", "--recency-weight", "-1", says: "the weight of recency"),
        Case("search", "x", "--namespace", "a,,b", says: "a namespace needs a name"),
        Case("search", "x", "--vector", "[0]", status: 65, says: "the vector has no direction"),
        Case("search", "x", "y", "--vector", "[1]", says: "--vector takes a single query"),
        Case("search", "--vector", "[1]", "--mode", "hybrid", says: "needs a text"),
        Case("search", "--jsonl", "missing.jsonl", says: "no such file"),
        Case("search", "x", "--jsonl", "f", says: "queries and --jsonl are mutually exclusive"),
        Case("list", "--limit", "0", says: "--limit must be at least 1"),
        Case("list", "--namespace", "none", status: 65, says: "there is no namespace 'none'"),
        Case("get", says: "give memory IDs or --key"),
        Case("get", "x", says: "'x' is invalid"),
        Case("get", "1", "--key", "k", says: "mutually exclusive"),
        Case("get", "1", "--namespace", "n", says: "--namespace requires --key"),
        Case("get", "1", status: 65, says: "memory 1 not found"),
        Case("get", "--key", "k", status: 65, says: "there is no namespace 'default'"),
        Case("delete", says: "give memory IDs, --key or --namespace"),
        Case("delete", "1", "--namespace", "n", says: "cannot be combined"),
        Case("delete", "1", status: 65, says: "memory 1 not found"),
        Case("delete", "--namespace", "none", "--yes", status: 65, says: "there is no namespace 'none'"),
        Case("stats", "--namespace", "none", status: 65, says: "there is no namespace 'none'"),
        Case("export", "--namespace", "none", status: 65, says: "there is no namespace 'none'"),
        Case("export", "--with-vectors", "--vectors", "v.npy", says: "mutually exclusive"),
        Case("export", "--vectors", "v.npy", status: 65, says: "there are no vectors to export"),
        Case("export", "--output", "/none/such/e.jsonl", says: "/none/such/e.jsonl cannot be written: no such file"),
        Case("import", says: "missing expected argument '<file>'"),
        Case("import", "missing.jsonl", says: "missing.jsonl cannot be opened: no such file"),
        Case("import", "/dev/null", "--vectors", "missing.npy", says: "missing.npy cannot be opened"),
        Case("import", "/dev/null", "--vectors", "/etc/passwd", status: 65, says: "/etc/passwd is no .npy file"),
        Case("import", "f", "--model", "plain", says: "--model: 'plain' is not a model"),
        Case("import", "f", "--embed", "--vectors", "v.npy", says: "cannot be combined with --vectors"),
    ]

    @Test("One sentence, the right code, and nothing stored", arguments: cases)
    func refuses(_ wrong: Case) async throws {
        let sandbox = try Sandbox()
        try await sandbox.makeDatabase()
        let arguments = wrong.arguments.map { "'\($0)'" }.joined(separator: " ")
        let ending = try await sandbox.shell("\"$AQ\" \(arguments)")
        #expect(ending.status == wrong.status, "\(ending.error)")
        let sentence = try #require(ending.sentence, "\(ending.error)")
        #expect(sentence.contains(wrong.says), "\(sentence)")
        #expect(!sentence.hasSuffix("."))
        #expect(ending.output.isEmpty)
        #expect(try await sandbox.run("memory", "list", "--json").output.isEmpty)
    }
}
