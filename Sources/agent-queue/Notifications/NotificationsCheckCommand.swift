import AgentQueue
import ArgumentParser
import JobModel
import Settings

/// `agent-queue notifications check`
struct NotificationsCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Send a notification a test notice.",
        discussion: """
            Once, from here, with a job of number 0 that completed. Nothing is put on record.

              agent-queue notifications check pager
            """)

    @Argument(help: ArgumentHelp("The notification's name in the configuration.", valueName: "name"))
    var name: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        let now = Now.milliseconds
        try NotificationName.check([name], in: session.settings.intakeContext(now: now))
        let body = JSONValue.object([
            .init("kind", .string(NoticeKind.job.rawValue)), .init("id", .integer(0)), .init("state", .string(JobState.completed.rawValue)),
            .init("test", .bool(true)), .init("finished_at", .string(TimeText.format(now))),
        ])
        let notifications = NotificationSet(session.settings, environment: session.environment) { Now.milliseconds }
        let outcome = await notifications.send(
            Notice(id: 0, kind: .job, subject: 0, notification: name, body: body.text, attempts: 1, nextAt: now, createdAt: now))
        try await notifications.shutdown()
        try report(outcome)
    }

    private func report(_ outcome: NoticeOutcome) throws {
        let reason: String? =
            switch outcome {
            case .delivered: nil
            case .failed(let reason, _), .refused(let reason): reason
            case .broken: "it was broken off"
            }
        var output = Output()
        if format.json {
            try output.json(
                .object([
                    .init("notification", .string(name)), .init("delivered", .bool(reason == nil)), .init("error", JobJSON.string(reason)),
                ]))
        } else if reason == nil {
            try output.line("delivered")
        }
        try output.flush()
        if let reason { throw CommandFailure(.unavailable, "notification \(InvalidText.quoted(name)): \(reason)") }
    }
}
