import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import Glibc

/// `agent-queue keys`
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Manage the keys of the gateway.",
        discussion: """
            Clients of `serve` send a key. Only a hash of it is stored, so it is shown once, when it is created. The first start of `serve` \
            creates the key 'local' and keeps it in a file next to the database; `keys env` prints it for a shell.

              agent-queue keys create ci --targets 'local/*' --expires-in 30d
              agent-queue keys list
              agent-queue keys show local
              agent-queue keys limits ci --usd-per-day 5
              agent-queue keys rotate local
              agent-queue keys revoke local
            """,
        subcommands: [
            KeysCreateCommand.self, KeysListCommand.self, KeysShowCommand.self, KeysLimitsCommand.self, KeysRotateCommand.self,
            KeysRevokeCommand.self, KeysEnvCommand.self,
        ])

    /// Who makes and ends keys, for the record.
    static var actor: String {
        let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) }
        return "user \(user ?? "\(getuid())")"
    }

    static func randomSecret() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return KeyText.randomSecret(using: &generator)
    }

    static func notFound(_ name: String, in store: QueueStore) throws -> CommandFailure {
        let hint = Suggestion.hint(for: name, in: try store.keys.list().map(\.name))
        return CommandFailure(.badInput, "key \(InvalidText.quoted(name)) not found\(hint); run 'agent-queue keys list' to see the keys")
    }
}

/// `agent-queue keys list`
struct KeysListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List keys, oldest first.",
        discussion: """
              agent-queue keys list
              agent-queue keys list --revoked --json
            """)

    @Flag(name: .long, help: "Include revoked keys.")
    var revoked = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await Session(global).withStore { store in
            let now = Now.milliseconds
            var listing = Listing(format, Self.columns)
            for key in try store.keys.list(revoked: revoked) {
                try listing.add(KeyJSON.key(key, now: now), row: Self.row(key, now: now))
            }
            try listing.finish()
        }
    }

    private static let columns = [
        Column("ID", isNumber: true), Column("NAME", leastWidth: 12), Column("STATE", .fixed), Column("SCOPES", .text),
        Column("TARGETS", .text), Column("QUEUE", leastWidth: 12), Column("LAST USED", .fixed), Column("EXPIRES", .fixed),
    ]

    private static func row(_ key: APIKey, now: Int64) -> [Cell] {
        let state = KeyState(key, now: now)
        return [
            Cell("\(key.id)"), Cell(DisplayText.line(key.name)), Cell(state.rawValue, state == .valid ? nil : .warning),
            Cell(KeyView.scopes(key)), Cell(KeyView.targets(key)), Cell(DisplayText.line(key.queue)),
            Cell(key.lastUsedAt.map { Figures.relative($0, now: now) } ?? "never"),
            Cell(key.expiresAt.map { Figures.relative($0, now: now) } ?? "never"),
        ]
    }
}

/// `agent-queue keys show`
struct KeysShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a key allows and when it was used.",
        discussion: """
            The key itself is not stored. A revoked key is found by its ID.

              agent-queue keys show local
            """)

    @Argument(help: ArgumentHelp("Key name or ID.", valueName: "key"))
    var key: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await Session(global).withStore { store in
            guard let found = try store.keys.find(named: key) ?? Int64(key).flatMap({ try store.keys.find($0) }) else {
                throw try KeysCommand.notFound(key, in: store)
            }
            let now = Now.milliseconds
            let use = try store.keys.use(of: found.id)
            try format.print(KeyJSON.key(found, use: use, now: now), lines: KeyView.lines(found, use, now: now))
        }
    }
}

/// `agent-queue keys rotate`
struct KeysRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a key a new secret and print it.",
        discussion: """
            The old secret stops working within a second, in all processes. The key keeps its scopes, limits and jobs. If `serve` keeps \
            the key in a file, the file is updated.

              agent-queue keys rotate local
            """)

    @Argument(help: ArgumentHelp("Key name.", valueName: "name"))
    var name: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let local = LocalKey(database: session.settings.database)
            let inFile = try local.read().flatMap { KeyText($0) }
            let secret = KeysCommand.randomSecret()
            guard let key = try await store.keys.rotate(name, secret: secret, by: KeysCommand.actor) else {
                throw try KeysCommand.notFound(name, in: store)
            }
            let text = KeyText(id: key.id, secret: secret)
            if inFile?.id == key.id { try local.write(text) }
            try KeyView.printNew(key, text, format)
        }
    }
}

/// `agent-queue keys revoke`
struct KeysRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke keys.",
        discussion: """
            A revoked key is refused within a second, in all processes. Its jobs stay, and its name can be used again.

              agent-queue keys revoke local
            """)

    @Argument(help: ArgumentHelp("Key names.", valueName: "name"))
    var names: [String]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            // Nothing is revoked if one of the names is wrong.
            for name in names where try store.keys.find(named: name) == nil { throw try KeysCommand.notFound(name, in: store) }
            var output = Output()
            for name in names {
                guard let key = try await store.keys.revoke(name, by: KeysCommand.actor) else { continue }
                try LocalKey(database: session.settings.database).remove(key.id)
                try format.json ? output.json(KeyJSON.key(key, now: Now.milliseconds)) : output.line("key \(key.name) revoked")
            }
            try output.flush()
        }
    }
}

/// Keys for people.
enum KeyView {
    static func scopes(_ key: APIKey) -> String {
        let scopes = KeyScope.allCases.filter(key.scopes.contains).map(\.rawValue)
        return scopes.isEmpty ? "none" : scopes.joined(separator: ",")
    }

    static func targets(_ key: APIKey) -> String {
        key.targets.map { DisplayText.line($0.joined(separator: ",")) } ?? "all"
    }

    static func lines(_ key: APIKey, _ use: KeyUse? = nil, now: Int64) -> [String] {
        var sheet = DetailView()
        let state = KeyState(key, now: now)
        sheet.add("id", "\(key.id)")
        sheet.add("name", DisplayText.line(key.name))
        sheet.add("state", state.rawValue, state == .valid ? .good : .warning)
        sheet.add("scopes", scopes(key))
        sheet.add("targets", targets(key))
        sheet.add("queue", DisplayText.line(key.queue))
        sheet.add("cache", key.cache.map { $0 ? "on" : "off" } ?? "as configured")
        sheet.add("on disconnect", key.onDisconnect?.rawValue ?? "as configured")
        sheet.add("best priority", key.bestPriority.map { "\($0)" } ?? "any")
        for (label, text) in limits(key.limits, use) { sheet.add(label, text) }
        sheet.add("created", Figures.time(key.createdAt, now: now))
        sheet.add("last used", key.lastUsedAt.map { Figures.time($0, now: now) } ?? "never")
        sheet.add("expires", key.expiresAt.map { Figures.time($0, now: now) } ?? "never")
        sheet.add("revoked", key.revokedAt.map { Figures.time($0, now: now) }, .warning)
        return sheet.lines
    }

    private static func limits(_ limits: KeyLimits, _ use: KeyUse?) -> [(label: String, text: String)] {
        guard !limits.isEmpty else { return [("limits", "none")] }
        func line(_ label: String, _ limit: Int?, _ unit: String, _ left: Int?) -> (label: String, text: String)? {
            limit.map { (label, "\($0) \(unit)" + (left.map { ", \($0) left" } ?? "")) }
        }
        func money(_ label: String, _ limit: Double?, _ time: String, _ spent: Double?) -> (label: String, text: String)? {
            limit.map { (label, "\(Money.display($0)) \(time)" + (spent.map { ", \(Money.display($0)) spent" } ?? "")) }
        }
        return [
            line("requests", limits.requestsPerMinute, "a minute", use?.requests?.remaining),
            line("tokens", limits.tokensPerMinute, "a minute", use?.tokens?.remaining),
            line("calls", limits.concurrency, "at once", nil),
            money("day's budget", limits.usdPerDay, "a day (UTC)", use?.spentToday),
            money("whole budget", limits.usdTotal, "in all", use?.spent),
        ].compactMap(\.self)
    }

    /// Prints a key that was just made: alone on its line, so that a script can take it.
    static func printNew(_ key: APIKey, _ text: KeyText, _ format: FormatOptions) throws {
        try format.print(KeyJSON.key(key, text: text.text, now: Now.milliseconds), line: text.text)
        if !format.json { Diagnostics.say("this is key '\(key.name)'; save it now, because it is not shown again") }
    }
}
