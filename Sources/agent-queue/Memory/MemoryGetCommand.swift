import AgentQueue
import ArgumentParser
import QueueStore

/// `agent-queue memory get`
struct MemoryGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show memories, whole.",
        discussion: """
              agent-queue memory get 17
              agent-queue memory get --key office-hours --json | jq .text
              agent-queue memory get 17 --vector --json | jq '.vector | length'
            """)

    @Argument(help: ArgumentHelp("The memories' numbers.", valueName: "id"))
    var ids: [Int64] = []

    @OptionGroup var keys: MemoryKeyOptions

    @Flag(name: .long, help: "With the vector, and what made it.")
    var vector = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if ids.isEmpty, keys.key.isEmpty { throw ValidationError("say which memories: by number, or with --key") }
        if !ids.isEmpty, !keys.key.isEmpty { throw ValidationError("memories are chosen by number or by --key, not by both") }
        if keys.key.isEmpty, keys.namespace != nil { throw ValidationError("--namespace goes with --key; a number says enough") }
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
                    Diagnostics.say("there is no memory \(name)")
                    continue
                }
                if format.json {
                    try output.json(vector ? MemoryJSON.memory(stored) : MemoryJSON.memory(stored.memory))
                } else {
                    if index > 0 { try output.line() }
                    try output.lines(MemorySheet(stored: stored, now: Now.milliseconds).lines)
                }
            }
            try output.flush()
            if missing { throw ExitCode(ExitStatus.badInput.rawValue) }
        }
    }
}
