import ArgumentParser
import QueueStore
import Settings

/// `agent-queue doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what is wrong, and say how to mend it.",
        discussion: """
            At the configuration, the providers, the machine, the database's file, the queue, the workers and the memories. Calls no \
            provider ('providers check' does). Ends with 0 if nothing must be mended.

              agent-queue doctor
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        var findings: [Finding] = []
        let place = try Place(global)
        let faults = Settings.check(
            configPath: global.config, environment: place.environment, currentDirectory: place.folder, overrides: place.overrides)
        findings += faults.map { .fault("configuration", $0.description, ExitStatus.badConfiguration.rawValue) }
        if faults.isEmpty {
            let session = try Session(global)
            findings += await ConfigurationExam.findings(session)
            findings += FileExam.findings(session.settings.database)
            findings += await StoreExam.findings(session)
        }
        try print(findings)
        if let first = findings.first(where: { $0.level == .fault }) { throw ExitCode(first.status) }
    }

    private func print(_ findings: [Finding]) throws {
        var output = Output()
        for finding in findings {
            if format.json {
                try output.json(finding.json)
            } else {
                let level = Style.apply(finding.level.style, to: finding.level.rawValue, on: .output)
                let padding = String(repeating: " ", count: 6 - finding.level.rawValue.count)
                try output.line("\(level)\(padding)\(finding.subject): \(DisplayText.line(finding.message))")
            }
        }
        try output.flush()
    }
}
