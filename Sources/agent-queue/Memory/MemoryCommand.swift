import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue memory`
struct MemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "Store texts and search them by meaning.",
        discussion: """
            A memory is a text with metadata and an embedding, stored in a namespace in the same database as the jobs.

              agent-queue memory store --metadata topic=hours 'The office closes at six.'
              agent-queue memory search 'When can I come in?'
            """,
        subcommands: [
            MemoryStoreCommand.self, MemorySearchCommand.self, MemoryListCommand.self, MemoryGetCommand.self, MemoryDeleteCommand.self,
            MemoryStatsCommand.self, MemoryExportCommand.self, MemoryImportCommand.self, MemoryReembedCommand.self,
        ])
}

/// `agent-queue memory get`
struct MemoryGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show memories in full.",
        discussion: """
              agent-queue memory get 17
              agent-queue memory get --key office-hours --json | jq .text
              agent-queue memory get 17 --vector --json | jq '.vector | length'
            """)

    @Argument(help: ArgumentHelp("Memory IDs.", valueName: "id"))
    var ids: [Int64] = []

    @OptionGroup var keys: MemoryKeyOptions

    @Flag(name: .long, help: "Include the vector and its model.")
    var vector = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if ids.isEmpty, keys.key.isEmpty { throw ValidationError("give memory IDs or --key") }
        if !ids.isEmpty, !keys.key.isEmpty { throw ValidationError("memory IDs and --key are mutually exclusive") }
        if keys.key.isEmpty, keys.namespace != nil { throw ValidationError("--namespace requires --key") }
    }

    func run() async throws {
        try await Session(global).withMemories { memories in
            let wanted = try ids.map { ($0, "\($0)") } + keys.ids(memories)
            let found = Dictionary(try memories.get(wanted.compactMap(\.0), withVectors: vector).map { ($0.memory.id, $0) }) { $1 }
            var output = Output()
            var missing = false
            for (index, (id, name)) in wanted.enumerated() {
                guard let stored = id.flatMap({ found[$0] }) else {
                    missing = true
                    Diagnostics.say("memory \(name) not found")
                    continue
                }
                if format.json {
                    try output.json(vector ? MemoryJSON.memory(stored) : MemoryJSON.memory(stored.memory))
                } else {
                    if index > 0 { try output.line() }
                    try output.lines(MemoryDetailView(stored: stored, now: Now.milliseconds).lines)
                }
            }
            try output.flush()
            if missing { throw ExitCode(ExitStatus.badInput.rawValue) }
        }
    }
}

/// `agent-queue memory list`
struct MemoryListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List memories, newest first.",
        discussion: """
              agent-queue memory list --namespace notes --limit 10
              agent-queue memory list --json | jq .text
            """)

    @Option(name: .long, help: ArgumentHelp("Filter by namespace.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace: String?

    @OptionGroup var limit: LimitOption

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 500

    func run() async throws {
        try await Session(global).withMemories { memories in
            let now = Now.milliseconds
            var listing = Listing(
                format,
                [
                    Column("ID", isNumber: true), Column("NAMESPACE"), Column("KEY"), Column("IMPORTANCE", isNumber: true),
                    Column("CREATED", .fixed),
                    Column("EXPIRES", .fixed), Column("TEXT", .text, leastWidth: 12),
                ])
            try limit.forEachPage(of: Self.page) { before, count in
                try memories.list(in: namespace, before: before, limit: count)
            } id: {
                $0.id
            } _: { page in
                for memory in page { try listing.add(MemoryJSON.memory(memory), row: Self.row(memory, now: now)) }
                try listing.printPart()
            }
            try listing.finish()
        }
    }

    private static func row(_ memory: Memory, now: Int64) -> [Cell] {
        [
            Cell("\(memory.id)"), Cell(DisplayText.line(memory.namespace)), Cell(DisplayText.line(memory.key ?? "", limit: 40)),
            Cell(Figures.decimal(memory.importance, places: 2)), Cell(Figures.relative(memory.createdAt, now: now)),
            Cell(memory.expiresAt.map { Figures.relative($0, now: now) } ?? "never"), Cell(MemoryPreview.text(memory)),
        ]
    }
}

/// `agent-queue memory stats`
struct MemoryStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show the size and model of each namespace.",
        discussion: """
            SIZE includes texts, metadata and vectors. Expired memories count until `prune` removes them. KEPT is how long a new memory \
            is kept that does not say so itself; EXPIRING is how many of the stored ones will expire. BECOMES shows the progress of \
            `memory reembed`.

              agent-queue memory stats
            """)

    @Option(name: .long, help: ArgumentHelp("Only this namespace.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await Session(global).withMemories { memories in
            var listing = Listing(
                format,
                [
                    Column("NAMESPACE"), Column("MEMORIES", isNumber: true), Column("SIZE", isNumber: true),
                    Column("MODEL", leastWidth: 12),
                    Column("DIMENSION", isNumber: true), Column("KEPT"), Column("EXPIRING", isNumber: true),
                    Column("BECOMES", leastWidth: 12),
                ])
            let expiring = try memories.expiring()
            for namespace in try memories.namespaces(named: namespace) {
                let done = try namespace.building.map { try memories.progress(of: $0) }
                try listing.add(
                    MemoryJSON.namespace(
                        namespace, retention: memories.retention(of: namespace.name), expiring: expiring[namespace.id], done: done),
                    row: [
                        Cell(DisplayText.line(namespace.name)), Cell(Figures.count(namespace.memories)),
                        Cell(Figures.bytes(namespace.bytes)), Cell(namespace.space.map(Self.model) ?? ""),
                        Cell(namespace.space.map { Figures.count($0.dimension) } ?? ""),
                        Cell(memories.retention(of: namespace.name).map { DurationText.format($0) } ?? "forever"),
                        Cell(Figures.count(expiring[namespace.id]?.memories ?? 0)), Cell(Self.building(namespace, done: done)),
                    ])
            }
            try listing.finish()
        }
    }

    private static func model(_ space: MemorySpace) -> String {
        space.model == .brought ? "your own" : DisplayText.line(space.model.target)
    }

    private static func building(_ namespace: MemoryNamespace, done: Int?) -> String {
        guard let building = namespace.building, let done else { return "" }
        return "\(model(building)), \(Figures.count(done)) done"
    }
}

/// Selects memories by key.
struct MemoryKeyOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Select by key. Repeatable.", valueName: "key"))
    var key: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Namespace. Default with --key: default.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace: String?

    /// The ID of each, nil if there is none, with a description.
    ///
    /// - Throws: `MemoryError`, `StoreError`.
    func ids(_ memories: Memories) throws -> [(Int64?, String)] {
        try key.map { key in
            (try memories.id(key: key, in: namespace ?? NamespaceName.usual), "with the key \(InvalidText.quoted(key))")
        }
    }
}

/// The details of a memory.
struct MemoryDetailView {
    let stored: MemoryRecord
    let now: Int64

    var lines: [String] {
        let memory = stored.memory
        var sheet = DetailView()
        sheet.add("id", "\(memory.id)")
        sheet.add("namespace", DisplayText.line(memory.namespace))
        sheet.add("key", memory.key.map { DisplayText.line($0) })
        sheet.add("importance", Figures.decimal(memory.importance, places: 2))
        sheet.add("created", Figures.time(memory.createdAt, now: now))
        sheet.add("recalled", memory.recalledAt.map { Figures.time($0, now: now) })
        sheet.add("expires", memory.expiresAt.map { Figures.time($0, now: now) } ?? "never")
        sheet.add("metadata", memory.metadata.map { JSONText.text($0) })
        sheet.add("model", stored.model.map { DisplayText.line($0.target) })
        sheet.add("vector", stored.vector.map { JSONText.text(VectorText.json($0)) })
        guard !memory.text.isEmpty else { return sheet.lines }
        let text = DisplayText.lines(memory.text).split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
        return sheet.lines + [""] + text
    }
}

/// A memory on one line.
enum MemoryPreview {
    /// The start of the text.
    static func text(_ memory: Memory) -> String {
        memory.text.isEmpty ? "(vector only)" : DisplayText.line(memory.text, limit: 160)
    }

    /// The metadata as JSON; empty if there is none.
    static func metadata(_ memory: Memory) -> String {
        memory.metadata.map { DisplayText.line(JSONText.text($0), limit: 160) } ?? ""
    }
}
