import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue memory delete`
struct MemoryDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete memories, or a whole namespace.",
        discussion: """
            This cannot be undone; `memory export` makes a copy.

              agent-queue memory delete 17 18
              agent-queue memory delete --key office-hours --namespace notes
              agent-queue memory delete --namespace notes --yes
            """)

    @Argument(help: ArgumentHelp("Memory IDs.", valueName: "id"))
    var ids: [Int64] = []

    @OptionGroup var keys: MemoryKeyOptions

    @Flag(name: .long, help: "Confirm deletion of the whole --namespace.")
    var yes = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if ids.isEmpty, keys.key.isEmpty, keys.namespace == nil {
            throw ValidationError("give memory IDs, --key or --namespace")
        }
        if !ids.isEmpty, !keys.key.isEmpty || keys.namespace != nil {
            throw ValidationError("memory IDs cannot be combined with --key or --namespace")
        }
    }

    func run() async throws {
        try await Session(global).withMemories { memories in
            if ids.isEmpty, keys.key.isEmpty, let namespace = keys.namespace {
                try await deleteAll(of: namespace, memories)
            } else {
                try await delete(try ids.map { ($0, "\($0)") } + keys.ids(memories), memories)
            }
        }
    }

    private func deleteAll(of name: String, _ memories: Memories) async throws {
        guard yes else {
            let held = try memories.namespaces(named: name).reduce(0) { $0 + $1.memories }
            throw CommandFailure(
                .usage,
                "namespace \(InvalidText.quoted(name)) has \(Figures.count(held, "memory", plural: "memories")); use --yes to delete them all"
            )
        }
        let deleted = try await memories.forgetNamespace(name)
        try format.print(
            .object([.init("deleted", .integer(Int64(deleted)))]), line: "\(Figures.count(deleted, "memory", plural: "memories")) deleted")
    }

    private func delete(_ wanted: [(id: Int64?, name: String)], _ memories: Memories) async throws {
        let there = Set(try memories.get(wanted.compactMap(\.id)).map(\.memory.id))
        try await memories.delete(there.sorted())
        var output = Output()
        var table = Table([Column("ID", isNumber: true), Column("RESULT", .text)])
        var missing = false
        for (id, name) in wanted {
            let isDeleted = id.map(there.contains) ?? false
            if !isDeleted {
                missing = true
                Diagnostics.say("memory \(name) not found")
            }
            if format.json {
                try output.json(.object([.init("id", id.map(JSONValue.integer) ?? .null), .init("deleted", .bool(isDeleted))]))
            } else if isDeleted, let id {
                table.add([Cell("\(id)"), "deleted"])
            }
        }
        if !table.isEmpty { try output.lines(table.takeLines()) }
        try output.flush()
        if missing { throw ExitCode(ExitStatus.badInput.rawValue) }
    }
}
