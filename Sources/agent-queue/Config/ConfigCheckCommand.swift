import ArgumentParser
import JobModel
import Settings

/// `agent-queue config check`
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate the configuration.",
        discussion: """
            Reports every fault with its file, line and key, and ends with 78 if there is one.

              agent-queue config check --config agent-queue.yaml
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let place = try Place(global)
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
                path.map { "\(DisplayText.line($0)) is right" } ?? "there is no configuration file; the built-in defaults apply")
        }
        try output.flush()
        if !faults.isEmpty { throw ExitCode(ExitStatus.badConfiguration.rawValue) }
    }
}
