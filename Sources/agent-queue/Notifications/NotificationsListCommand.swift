import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue notifications list`
struct NotificationsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List notices, newest first.",
        discussion: """
            A notice is waiting, delivered or failed (given up).

              agent-queue notifications list
              agent-queue notifications list --state failed --json | jq .error
            """)

    @Option(
        name: .long, help: ArgumentHelp("Those of this state: waiting, delivered or failed; may be repeated.", valueName: "state"),
        transform: ChoiceOption.parse)
    var state: [Notice.State] = []

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("At most so many.", valueName: "n"))
    var limit = 50

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1, not \(limit)") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withExistingStore { store in
            let notices = try store?.notices(states: Set(state), limit: limit) ?? []
            var output = Output()
            if format.json {
                for notice in notices { try output.json(Self.json(notice)) }
            } else {
                try output.lines(Self.lines(notices, now: Now.milliseconds))
            }
            try output.flush()
        }
    }

    private static func json(_ notice: Notice) -> JSONValue {
        .object([
            .init("id", .integer(notice.id)), .init("notification", .string(notice.notification)),
            .init("state", .string(notice.state.rawValue)), .init("attempts", .integer(Int64(notice.attempts))),
            .init("next_at", notice.state == .waiting ? JobJSON.time(notice.nextAt) : .null),
            .init("created_at", JobJSON.time(notice.createdAt)), .init("ended_at", JobJSON.time(notice.endedAt)),
            .init("error", JobJSON.string(notice.error)), .init("message_id", .string(notice.messageID)),
            .init("body", (try? JSONValue.parse(notice.body)) ?? .string(notice.body)),
        ])
    }

    private static func lines(_ notices: [Notice], now: Int64) -> [String] {
        var table = Table([
            Column("ID", isNumber: true), Column("TELLS", leastWidth: 12), Column("OF"), Column("STATE"),
            Column("ATTEMPTS", isNumber: true), Column("CREATED"), Column("NEXT"), Column("ERROR"),
        ])
        for notice in notices {
            let style: Style? =
                switch notice.state {
                case .waiting: nil
                case .delivered: .good
                case .failed: .bad
                }
            table.add([
                Cell("\(notice.id)"), Cell(DisplayText.line(notice.notification)), Cell("\(notice.kind.rawValue) \(notice.subject)"),
                Cell(notice.state.rawValue, style), Cell("\(notice.attempts)"), Cell(Figures.relative(notice.createdAt, now: now)),
                Cell(notice.state == .waiting ? Figures.relative(notice.nextAt, now: now) : ""),
                Cell(DisplayText.line(notice.error ?? ""), .bad),
            ])
        }
        return table.takeLines()
    }
}
