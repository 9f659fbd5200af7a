import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue notifications`
struct NotificationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notifications",
        abstract: "List, retry and test notifications.",
        discussion: """
            Define commands and webhooks under `notifications:` in the configuration, and choose them with --on-finish, --on-failure, \
            --on-batch-finish and --on-batch-failure. Workers send them when a job, batch or run finishes, and retry on failure.

              agent-queue notifications list --state failed
              agent-queue notifications check pager
            """,
        subcommands: [NotificationsListCommand.self, NotificationsRetryCommand.self, NotificationsCheckCommand.self])
}

/// `agent-queue notifications list`
struct NotificationsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List notifications, newest first.",
        discussion: """
            A notification is waiting, delivered, or failed after its last attempt.

              agent-queue notifications list
              agent-queue notifications list --state failed --json | jq .error
            """)

    @Option(
        name: .long, help: ArgumentHelp("Filter by state: waiting, delivered or failed. Repeatable.", valueName: "state"),
        transform: ChoiceOption.parse)
    var state: [JobNotification.State] = []

    @OptionGroup var limit: LimitOption

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let notices = try store.notifications.list(states: Set(state), limit: limit.count)
            let now = Now.milliseconds
            var listing = Listing(format, Self.columns)
            for notice in notices { try listing.add(NotificationJSON.notification(notice), row: Self.row(notice, now: now)) }
            try listing.finish()
        }
    }

    private static let columns = [
        Column("ID", isNumber: true), Column("NAME", leastWidth: 12), Column("ABOUT", .fixed), Column("STATE", .fixed),
        Column("ATTEMPTS", isNumber: true), Column("CREATED", .fixed), Column("NEXT", .fixed), Column("ERROR", .text),
    ]

    private static func row(_ notice: JobNotification, now: Int64) -> [Cell] {
        let style: Style? =
            switch notice.state {
            case .waiting: nil
            case .delivered: .good
            case .failed: .bad
            }
        return [
            Cell("\(notice.id)"), Cell(DisplayText.line(notice.notification)), Cell("\(notice.kind.rawValue) \(notice.subject)"),
            Cell(notice.state.rawValue, style), Cell("\(notice.attempts)"), Cell(Figures.relative(notice.createdAt, now: now)),
            Cell(notice.state == .waiting ? Figures.relative(notice.nextAt, now: now) : ""),
            Cell(DisplayText.line(notice.error ?? ""), .bad),
        ]
    }
}

/// `agent-queue notifications check`
struct NotificationsCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Send a test notification.",
        discussion: """
            Sends it once, from this process, for a completed job with ID 0, and prints what it sent. Nothing is recorded.

              agent-queue notifications check pager
            """)

    @Argument(help: ArgumentHelp("Notification name in the configuration.", valueName: "name"))
    var name: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let now = Now.milliseconds
        try NotificationName.check([name], in: session.settings.intakeContext(now: now))
        let body = JSONValue.object([
            .init("kind", .string(NotificationKind.job.rawValue)), .init("id", .integer(0)),
            .init("state", .string(JobState.completed.rawValue)),
            .init("test", .bool(true)), .init("finished_at", .string(TimeText.format(now))),
        ])
        let notifications = NotificationSet(session.settings, environment: session.environment) { Now.milliseconds }
        let notice = JobNotification(
            id: 0, kind: .job, subject: 0, notification: name, body: body.text, attempts: 1, nextAt: now, createdAt: now)
        let outcome = await notifications.send(notice)
        let sent = notifications.body(of: notice) ?? notice.body
        try await notifications.shutdown()
        try report(outcome, sent: sent)
    }

    private func report(_ outcome: NotificationOutcome, sent body: String) throws {
        let reason: String? =
            switch outcome {
            case .delivered: nil
            case .failed(let reason, _), .unanswered(let reason), .refused(let reason): reason
            case .broken: "sending was interrupted"
            }
        var output = Output()
        if format.json {
            try output.json(
                .object([
                    .init("notification", .string(name)), .init("delivered", .bool(reason == nil)), .init("error", JobJSON.string(reason)),
                    .init("body", (try? JSONValue.parse(body)) ?? .string(body)),
                ]))
        } else {
            try output.line(DisplayText.lines(body))
            if reason == nil { try output.line("delivered") }
        }
        try output.flush()
        if let reason { throw CommandFailure(.unavailable, "notification \(InvalidText.quoted(name)): \(reason)") }
    }
}

/// `agent-queue notifications retry`
struct NotificationsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Retry notifications.",
        discussion: """
            Sends waiting or failed notifications again, counting attempts from the start.

              agent-queue notifications retry 3 4
              agent-queue notifications retry --all
            """)

    @Argument(help: ArgumentHelp("Notification IDs.", valueName: "id"))
    var ids: [Int64] = []

    @Flag(name: .long, help: "Retry all failed notifications.")
    var all = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard ids.isEmpty == all else { throw ValidationError("give notification IDs or --all") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let count = try await store.notifications.retry(all ? nil : ids)
            try format.print(
                .object([.init("retried", .integer(Int64(count)))]), line: "\(Figures.count(count, "notification")) will be retried")
            if !all, count < ids.count {
                throw CommandFailure(.badInput, "\(ids.count - count) of \(ids.count) not found or already delivered")
            }
        }
    }
}
