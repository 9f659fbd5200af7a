import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue notifications retry`
struct NotificationsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Have notices tried again, from their first attempt.",
        discussion: """
            Those of these numbers that wait or were given up; --all is all that were given up.

              agent-queue notifications retry 3 4
              agent-queue notifications retry --all
            """)

    @Argument(help: ArgumentHelp("Numbers of notices.", valueName: "id"))
    var ids: [Int64] = []

    @Flag(name: .long, help: "All that were given up.")
    var all = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard ids.isEmpty == all else { throw ValidationError("give the numbers of notices, or --all") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let count = try await store.retryNotices(all ? nil : ids)
            var output = Output()
            try format.json
                ? output.json(.object([.init("retried", .integer(Int64(count)))]))
                : output.line("\(Figures.count(count, "notice")) to be tried again")
            try output.flush()
            if !all, count < ids.count {
                throw CommandFailure(.badInput, "\(ids.count - count) of \(ids.count) are not there, or were delivered")
            }
        }
    }
}
