import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue keys create`
struct KeysCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a key and print it.",
        discussion: """
            The key is printed once, alone on standard output; only its hash is stored. Its jobs go to a queue of their own, which can be \
            paused and watched like any other.

              agent-queue keys create ci
              agent-queue keys create nightly --targets 'local/*,openai/gpt-5*' --best-priority 5 --cache on
              agent-queue keys create trial --scopes call --expires-in 7d --json
              agent-queue keys create team --rpm 60 --usd-per-day 5
            """)

    @Argument(help: ArgumentHelp("Name: 1 to 40 lower-case letters, digits and hyphens.", valueName: "name"))
    var name: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Scopes, comma-separated. Default: call,batch,read.",
            discussion: "call, batch, read (its own jobs), read:all, operate, mcp, metrics, admin.",
            valueName: "scope,…"), transform: ScopeList.init(argument:))
    var scopes: ScopeList?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Targets that it may use, comma-separated; * stands for any characters. Default: all.", valueName: "pattern,…"),
        transform: PatternList.init(argument:))
    var targets: PatternList?

    @Option(name: .long, help: ArgumentHelp("Queue for its jobs. Default: api.NAME.", valueName: "queue"))
    var queue: String?

    @Option(
        name: .long, help: ArgumentHelp("Whether its calls use the cache: on or off. Default: `serve.cache`.", valueName: "on|off"),
        transform: ChoiceOption.parse)
    var cache: OnOff?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What happens to a job when its client disconnects: auto, finish or cancel. Default: `serve.on_disconnect`.", valueName: "what"),
        transform: ChoiceOption.parse)
    var onDisconnect: DisconnectPolicy?

    @Option(
        name: .long, help: ArgumentHelp("Most urgent priority that it may ask for, 1 to 9. Default: any.", valueName: "n"))
    var bestPriority: Int?

    @OptionGroup(title: "Limits") var limits: KeyLimitOptions

    @Option(
        name: .long, help: ArgumentHelp("How long the key is valid, such as 30d. Default: until it is revoked.", valueName: "duration"),
        transform: DurationOption.parse)
    var expiresIn: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard APIKey.isName(name) else {
            throw ValidationError("invalid key name \(InvalidText.quoted(name)) (1 to 40 lower-case letters, digits and hyphens)")
        }
        if let bestPriority, !(1...9).contains(bestPriority) {
            throw ValidationError("--best-priority must be 1 to 9, not \(bestPriority)")
        }
        if let expiresIn, expiresIn < .seconds(1) { throw ValidationError("--expires-in must be at least 1s") }
    }

    func run() async throws {
        if let queue { try QueueName.check(queue) }
        var key = NewAPIKey(name: name)
        if let scopes { key.scopes = scopes.scopes }
        key.targets = targets?.patterns
        if let queue { key.queue = queue }
        key.cache = cache.map { $0 == .on }
        key.onDisconnect = onDisconnect
        key.bestPriority = bestPriority
        limits.apply(to: &key.limits)
        key.expiresAt = expiresIn.map { Now.milliseconds + $0.milliseconds }
        let new = key
        try await Session(global).withStore(createsFile: true) { store in
            let secret = KeysCommand.randomSecret()
            let made = try await store.keys.create(new, secret: secret, by: KeysCommand.actor)
            try KeyView.printNew(made, KeyText(id: made.id, secret: secret), format)
        }
    }

    enum OnOff: String, CaseIterable { case on, off }
}

/// The value of `--scopes`.
struct ScopeList {
    let scopes: Set<KeyScope>

    /// - Throws: `ValidationError` that suggests the scope that was probably meant.
    init(argument: String) throws {
        scopes = Set(try argument.split(separator: ",", omittingEmptySubsequences: false).map { try ChoiceOption.parse(String($0)) })
    }
}

/// The value of `--targets`.
struct PatternList {
    let patterns: [String]

    /// - Throws: `ValidationError`.
    init(argument: String) throws {
        patterns = try argument.split(separator: ",", omittingEmptySubsequences: false).map { text in
            do throws(InvalidText) { return try NamePattern(String(text)).text } catch { throw ValidationError(error.message) }
        }
    }
}
