import AgentQueue
import AgentQueueModel
import ArgumentParser

/// `agent-queue memory store`
struct MemoryStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Store texts as memories.",
        discussion: """
            Prints the ID of each memory. Give texts as arguments, with --file, or on standard input with `-` (the final newline is \
            removed). Texts are embedded immediately with `memory.embedding_model`, without a worker; `enqueue --memorize` leaves that \
            to the workers. A text that already exists with the same metadata is not stored again. With --key, replaces the memory \
            with that key. Memories are kept forever unless --ttl or `memory.retention` says otherwise; an expiry is reported on \
            standard error.

            With --jsonl, each line is a memory: {"text": "…"} with any of key, metadata, importance, ttl, created_at, expires_at, \
            namespace, vector and model (of the vector). All lines are checked before any is stored.

              agent-queue memory store --metadata topic=hours --ttl 90d 'The office closes at six.'
              agent-queue memory store --key office-hours 'The office closes at seven.'
              agent-queue memory store --jsonl notes.jsonl --namespace notes
            """)

    @Argument(help: ArgumentHelp("Texts to store; `-` reads standard input.", valueName: "text"))
    var texts: [String] = []

    @Option(name: .long, help: ArgumentHelp("Read the text from a file.", valueName: "file"), completion: .file())
    var file: String?

    @Option(
        name: .long, help: ArgumentHelp("Store each line of a JSONL file, or of standard input with `-`.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var jsonl: String?

    @Option(name: .long, help: ArgumentHelp("Key of the memory. A memory with the same key is replaced.", valueName: "key"))
    var key: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Vector of the memory, if you make your own: [0.1, -0.2, …]. The text is then optional.", valueName: "json"))
    var vector: String?

    @OptionGroup var options: MemoryOptions
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        let sources = [!texts.isEmpty, file != nil, jsonl != nil].count { $0 }
        guard sources <= 1 else { throw ValidationError("texts, --file and --jsonl are mutually exclusive") }
        guard sources == 1 || vector != nil else {
            throw ValidationError("missing text; give it as an argument, with --file, or use - for standard input")
        }
        for (option, isGiven) in [("--key", key != nil), ("--vector", vector != nil)] where isGiven {
            if jsonl != nil {
                throw ValidationError("\(option) cannot be combined with --jsonl; put \"\(option.dropFirst(2))\" in the lines")
            }
            if texts.count > 1 { throw ValidationError("\(option) takes a single text; use --jsonl for several") }
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
        try await session.withMemories(createsFile: true) { memories in
            do {
                try await memories.store(drafts, in: options.namespace) { receipts.take($0) }
            } catch {
                throw receipts.interrupted(by: error)
            }
        }
        try receipts.finish()
        if let sentence = receipts.expirySentence { Diagnostics.write("\(sentence)\n") }
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

/// Options of a memory. With `--jsonl`, the defaults for lines.
struct MemoryOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Namespace. Default: default.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace = NamespaceName.usual

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Add metadata, for filtering with --where: key=value, or a JSON object such as '{\"score\": 3}'. Repeatable.",
            valueName: "key=value"))
    var metadata: [String] = []

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Importance, 0 to 1. Default: 0.5.", valueName: "x"))
    var importance: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How long to keep it, such as 30d, or never for no limit. Default: `memory.retention`.", valueName: "duration"))
    var ttl: String?

    /// Nil if there is none.
    ///
    /// - Throws: `InputError`.
    func metadataObject() throws -> JSONValue? {
        guard let first = metadata.first, first.hasPrefix("{") else { return try JobText.metadata(metadata) }
        guard metadata.count == 1 else {
            throw InputError("--metadata takes one JSON object or key=value pairs, not both", kind: .usage)
        }
        do {
            return try JSONValue.parse(first)
        } catch {
            throw InputError("--metadata is \(error.description)", kind: .usage)
        }
    }

    /// - Throws: `InputError`.
    func expiry() throws -> MemoryExpiry {
        switch ttl {
        case nil: .usual
        case "never": .never
        case let text?: .after(try JobText.duration(text, named: "--ttl").milliseconds)
        }
    }
}
