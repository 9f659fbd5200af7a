import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// The options that set limits of a key.
struct KeyLimitOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Maximum number of calls a minute.", valueName: "n"))
    var rpm: Int?

    @Option(name: .long, help: ArgumentHelp("Maximum number of tokens a minute, input and output together.", valueName: "n"))
    var tpm: Int?

    @Option(name: .long, help: ArgumentHelp("Maximum number of calls at the same time.", valueName: "n"))
    var concurrency: Int?

    @Option(name: .long, help: ArgumentHelp("Maximum cost a day (UTC), in US dollars.", valueName: "amount"))
    var usdPerDay: Double?

    @Option(name: .long, help: ArgumentHelp("Maximum cost in total, from now on, in US dollars.", valueName: "amount"))
    var usdTotal: Double?

    var isEmpty: Bool { rpm == nil && tpm == nil && concurrency == nil && usdPerDay == nil && usdTotal == nil }

    func validate() throws {
        for (name, value) in [("--rpm", rpm), ("--tpm", tpm), ("--concurrency", concurrency)] {
            if let value, !(1...1_000_000_000).contains(value) { throw ValidationError("\(name) must be 1 to 1000000000, not \(value)") }
        }
        for (name, value) in [("--usd-per-day", usdPerDay), ("--usd-total", usdTotal)] {
            if let value, !(0...1e9).contains(value) { throw ValidationError("\(name) must be an amount from 0 to 1000000000") }
        }
    }

    /// Changes those limits that are given.
    func apply(to limits: inout KeyLimits) {
        limits.requestsPerMinute = rpm ?? limits.requestsPerMinute
        limits.tokensPerMinute = tpm ?? limits.tokensPerMinute
        limits.concurrency = concurrency ?? limits.concurrency
        limits.usdPerDay = usdPerDay ?? limits.usdPerDay
        limits.usdTotal = usdTotal ?? limits.usdTotal
    }
}

/// `agent-queue keys limits`
struct KeysLimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Change the limits of a key.",
        discussion: """
            Limits that are not given stay as they are, or are removed with --clear. They apply to all processes together, from the next \
            call on, including those of jobs that are waiting. A call is counted before it starts, and corrected afterwards.

              agent-queue keys limits local --rpm 60 --usd-per-day 5
              agent-queue keys limits local --clear
            """)

    @Argument(help: ArgumentHelp("Key name.", valueName: "name"))
    var name: String

    @OptionGroup(title: "Limits") var limits: KeyLimitOptions

    @Flag(name: .long, help: "Remove the limits that are not given.")
    var clear = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard limits.isEmpty, !clear else { return }
        throw ValidationError("give a limit, such as --rpm 60, or --clear; 'agent-queue keys show' shows the current ones")
    }

    func run() async throws {
        try await Session(global).withStore { store in
            guard let key = try store.keys.find(named: name) else { throw try KeysCommand.notFound(name, in: store) }
            var changed = clear ? KeyLimits() : key.limits
            limits.apply(to: &changed)
            guard let made = try await store.keys.setLimits(changed, of: name, by: KeysCommand.actor) else {
                throw try KeysCommand.notFound(name, in: store)
            }
            let now = Now.milliseconds
            let use = try store.keys.use(of: made.id)
            try format.print(KeyJSON.key(made, use: use, now: now), lines: KeyView.lines(made, use, now: now))
        }
    }
}
