import AgentQueue
import ArgumentParser
import JobModel

/// `agent-queue memory store`
struct MemoryStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Remember texts.",
        discussion: """
            Prints the number of each. A text is an argument, the file of --file, or standard input for `-` (without its last line \
            break). The embedding model (`memory.embedding_model`) makes its vector at once, no worker is needed; `enqueue --memorize` \
            leaves that to the workers. A text that is there already, with the same metadata, is not stored twice. With --key, the \
            memory of that key is replaced.

            --jsonl reads a memory from each line: {"text": "…"} with any of key, metadata, importance, ttl, created_at, expires_at, \
            namespace, vector (and model: what made it). All lines are checked before anything is stored.

              agent-queue memory store --metadata topic=hours --ttl 90d 'The office closes at six.'
              agent-queue memory store --key office-hours 'The office closes at seven.'
              agent-queue memory store --jsonl notes.jsonl --namespace notes
            """)

    @Argument(help: ArgumentHelp("The texts; `-` reads standard input.", valueName: "text"))
    var texts: [String] = []

    @Option(name: .long, help: ArgumentHelp("Read the text from a file.", valueName: "file"), completion: .file())
    var file: String?

    @Option(
        name: .long, help: ArgumentHelp("Remember each line of a file; `-` reads standard input.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var jsonl: String?

    @Option(name: .long, help: ArgumentHelp("A name of your own: the next memory of this key takes its place.", valueName: "key"))
    var key: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Its vector, if you make your own: [0.1, -0.2, …]. The text may be left out then.", valueName: "json"))
    var vector: String?

    @OptionGroup var options: MemoryOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        let sources = [!texts.isEmpty, file != nil, jsonl != nil].count { $0 }
        guard sources <= 1 else { throw ValidationError("only one of texts, --file and --jsonl can be given") }
        guard sources == 1 || vector != nil else {
            throw ValidationError("a text is missing: give it as an argument, with --file, or as - for standard input")
        }
        for (option, isGiven) in [("--key", key != nil), ("--vector", vector != nil)] where isGiven {
            if jsonl != nil { throw ValidationError("\(option) belongs to one memory; write \"\(option.dropFirst(2))\" into the lines") }
            if texts.count > 1 { throw ValidationError("\(option) belongs to one memory; use --jsonl for several") }
        }
    }

    func run() async throws {
        let session = try Session(global)
        var receipts = MemoryReceipts(format.json ? .json : .numbers)
        if let jsonl {
            var bulk = BulkMemoryOptions()
            bulk.namespace = options.namespace
            bulk.metadata = try options.metadataObject()
            bulk.importance = options.importance
            bulk.expiry = try options.expiry()
            _ = try await MemoryBulkRun(path: jsonl, options: bulk, session: session).run(&receipts)
            try receipts.finish()
            return Diagnostics.write(receipts.summary + "\n")
        }
        let drafts = try drafts()
        try await session.withMemories { memories in
            do {
                try await memories.store(drafts, in: options.namespace) { receipts.take($0) }
            } catch {
                throw receipts.interrupted(by: error)
            }
        }
        try receipts.finish()
    }

    private func drafts() throws -> [MemoryDraft] {
        let given = try file.map { [try MemoryText.read($0)] } ?? texts.map { try $0 == "-" ? MemoryText.read("-") : $0 }
        return try (given.isEmpty ? [""] : given).map { text in
            var draft = MemoryDraft(text)
            draft.key = key
            draft.metadata = try options.metadataObject()
            if let importance = options.importance { draft.importance = importance }
            draft.expiry = try options.expiry()
            if let vector { draft.vector = .own(try VectorText.parse(vector)) }
            return draft
        }
    }
}
