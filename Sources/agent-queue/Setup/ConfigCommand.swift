import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser
import Glibc

/// `agent-queue config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show, validate or create the configuration.",
        discussion: """
              agent-queue config show
            """,
        subcommands: [ConfigShowCommand.self, ConfigCheckCommand.self, ConfigInitCommand.self])
}

/// `agent-queue config show`
struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print every value and where it comes from.",
        discussion: """
            Precedence: command line, environment, file, default. Secrets are masked.

              agent-queue config show --config agent-queue.yaml
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let session = try Session(global)
        var listing = Listing(
            format, [Column("KEY"), Column("VALUE", .text), Column("FROM")])
        for entry in session.settings.entries {
            let origin = Cell(DisplayText.line(entry.origin.description), entry.origin == .builtIn ? .dim : nil)
            try listing.add(
                .object([
                    .init("key", .string(entry.key)), .init("value", .string(entry.value)),
                    .init("from", .string(entry.origin.description)),
                ]),
                row: [Cell(DisplayText.line(entry.key)), Cell(DisplayText.line(entry.value)), origin])
        }
        try listing.finish()
    }
}

/// `agent-queue config check`
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate the configuration.",
        discussion: """
            Reports every error with file, line and key. Exits with 78 if there are errors.

              agent-queue config check --config agent-queue.yaml
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let place = try LaunchContext(global)
        let faults = Settings.check(
            configPath: global.config, environment: place.environment, currentDirectory: place.folder, overrides: place.overrides)
        for fault in faults { Diagnostics.say(fault.description) }
        var output = Output()
        let path = faults.isEmpty ? try Session(global).settings.configPath : nil
        if format.json {
            try output.json(
                .object([
                    .init("ok", .bool(faults.isEmpty)), .init("file", JobJSON.string(path)),
                    .init("faults", .array(faults.map { .string($0.description) })),
                ]))
        } else if faults.isEmpty {
            try output.line(
                path.map { "\(DisplayText.line($0)) is valid" } ?? "no configuration file; using the built-in defaults")
        }
        try output.flush()
        if !faults.isEmpty { throw ExitCode(ExitStatus.badConfiguration.rawValue) }
    }
}

/// `agent-queue config init`
struct ConfigInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a sample configuration file.",
        discussion: """
            Writes ./agent-queue.yaml or the --config file, with every key explained; `--config -` prints it. Does not overwrite an \
            existing file without --force.

              agent-queue config init
              agent-queue config init --config -
            """)

    @Flag(name: .long, help: "Overwrite an existing file.")
    var force = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        var output = Output()
        if global.config == "-" {
            try output.text(SampleConfiguration.yaml)
            return try output.flush()
        }
        let path = global.config ?? "agent-queue.yaml"
        try write(to: path)
        if format.json {
            try output.json(.object([.init("file", .string(path))]))
        } else {
            try output.line("\(DisplayText.line(path)) written")
        }
        try output.flush()
    }

    private func write(to path: String) throws {
        let name = InvalidText.quoted(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0o600)
        guard descriptor >= 0 else {
            guard errno != EEXIST else { throw CommandFailure(.usage, "\(name) already exists; use --force to overwrite it") }
            throw SystemFailure.make("write \(name)", errno: errno)
        }
        defer { close(descriptor) }
        var rest = Array(SampleConfiguration.yaml.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure.make("write \(name)", errno: errno) }
            rest = rest.dropFirst(count)
        }
    }
}
