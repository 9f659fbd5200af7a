import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// The options that set limits of a key.
struct KeyLimitOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Calls that may begin in a minute.", valueName: "n"))
    var rpm: Int?

    @Option(name: .long, help: ArgumentHelp("Input and output tokens in a minute.", valueName: "n"))
    var tpm: Int?

    @Option(name: .long, help: ArgumentHelp("Calls under way at once.", valueName: "n"))
    var concurrency: Int?

    @Option(name: .long, help: ArgumentHelp("US dollars in a day (UTC).", valueName: "amount"))
    var usdPerDay: Double?

    @Option(name: .long, help: ArgumentHelp("US dollars in all, from now on.", valueName: "amount"))
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
            Limits that are not given stay; with --clear they are removed. They hold for all processes together and for the next calls, \
            also of jobs that wait. A call is counted before it begins and corrected by what it really used.

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
        if limits.isEmpty, !clear { throw ValidationError("give a limit, such as --rpm 60, or --clear; 'keys show' tells those of now") }
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
