import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue queues`
struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "List queues and their job counts.",
        discussion: """
              agent-queue queues
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let queues = try store.jobs.queues()
            var output = Output()
            if format.json {
                for queue in queues { try output.json(StatsJSON.queue(queue)) }
            } else {
                try output.lines(QueueTable.lines(queues))
            }
            try output.flush()
        }
    }
}

/// `agent-queue pause`
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pause a queue.",
        discussion: """
            Workers start no more of its jobs until `resume`; running jobs continue. A queue that no job, schedule or pause has named yet \
            is refused, because its name is probably misspelt; --create pauses it before it has any jobs.

              agent-queue pause nightly
              agent-queue pause --create weekend
            """)

    @Argument(help: ArgumentHelp("Queue name.", valueName: "queue"))
    var queue: String

    @Flag(name: .long, help: "Create the queue if it does not exist.")
    var create = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try QueueName.check(queue)
        let session = try Session(global)
        try await session.withStore(createsFile: create) { store in
            if !create, try !store.jobs.isKnown(queue: queue) {
                let hint = Suggestion.hint(for: queue, in: try store.jobs.queues().map(\.name))
                throw CommandFailure(.badInput, "queue \(InvalidText.quoted(queue)) not found\(hint); --create pauses a new queue")
            }
            try await store.jobs.pause(queue: queue)
            try QueueName.report(queue, isPaused: true, json: format.json)
        }
    }
}

/// `agent-queue resume`
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Resume a paused queue.",
        discussion: """
              agent-queue resume nightly
            """)

    @Argument(help: ArgumentHelp("Queue name.", valueName: "queue"))
    var queue: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try QueueName.check(queue)
        let session = try Session(global)
        try await session.withStore { store in
            // A queue that only a schedule names has no row yet; it is not paused either.
            let hasResumed = try await store.jobs.resume(queue: queue)
            if !hasResumed, try !store.jobs.isKnown(queue: queue) { throw QueueName.notFound(queue) }
            try QueueName.report(queue, isPaused: false, json: format.json)
        }
    }
}

/// Queues and their job counts as a table.
enum QueueTable {
    static func lines(_ queues: [QueueSummary]) -> [String] {
        var table = Table(
            [Column("QUEUE", leastWidth: 12)] + JobState.allCases.map { Column($0.displayName.uppercased(), .figure) }
                + [Column("", .fixed, leastWidth: 0)],
            mayOmitZeros: true)
        for queue in queues {
            let counts = JobState.allCases.map { state in
                let count = queue.count(state)
                return Cell(Figures.count(count), count == 0 ? .dim : Style.of(state))
            }
            let pause = queue.pausedAt == nil ? Cell("") : Cell("paused", .warning)
            table.add([Cell(DisplayText.line(queue.name))] + counts + [pause])
        }
        return table.takeLines()
    }
}

/// A queue name from the command line.
enum QueueName {
    /// - Throws: `CommandFailure` if it is not a valid name.
    static func check(_ name: String) throws {
        let isWord = name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }
        guard !name.isEmpty, name.utf8.count <= JobLimits.maxNameBytes, isWord else {
            let rule = "at most \(JobLimits.maxNameBytes) bytes, no spaces, commas or control characters"
            throw CommandFailure(.usage, "invalid queue name \(InvalidText.quoted(name)) (\(rule))")
        }
    }

    static func notFound(_ name: String) -> CommandFailure {
        CommandFailure(.badInput, "queue \(InvalidText.quoted(name)) not found; run 'agent-queue queues' to see the queues")
    }

    /// Prints whether it is paused now.
    static func report(_ name: String, isPaused: Bool, json: Bool) throws {
        var output = Output()
        if json {
            try output.json(.object([.init("queue", .string(name)), .init("paused", .bool(isPaused))]))
        } else {
            try output.line("\(DisplayText.line(name)) \(isPaused ? "paused" : "resumed")")
        }
        try output.flush()
    }
}
