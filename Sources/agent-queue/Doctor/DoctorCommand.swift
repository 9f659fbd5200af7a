import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Diagnose problems and suggest fixes.",
        discussion: """
            Checks the configuration, providers, disk, database, queues, workers and memories. Makes no provider calls; `providers \
            check` does. Exits with 0 if there are no errors.

              agent-queue doctor
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        var findings: [Finding] = []
        let place = try LaunchContext(global)
        let faults = Settings.check(
            configPath: global.config, environment: place.environment, currentDirectory: place.folder, overrides: place.overrides)
        findings += faults.map { .fault("configuration", $0.description, ExitStatus.badConfiguration.rawValue) }
        if faults.isEmpty {
            let session = try Session(global)
            findings += await ConfigurationCheck.findings(session)
            findings += FileCheck.findings(session.settings.database)
            findings += await StoreCheck.findings(session)
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

/// One thing the doctor looked at.
struct Finding {
    /// What was looked at.
    let subject: String
    let level: Level
    /// What was found; what to do about it, too, unless all is well.
    let message: String
    /// What the command ends with because of it.
    let status: Int32

    /// How bad it is.
    enum Level: String {
        case good = "ok"
        /// Works, and may surprise.
        case note
        case fault

        var style: Style {
            switch self {
            case .good: .good
            case .note: .warning
            case .fault: .bad
            }
        }
    }

    static func good(_ subject: String, _ message: String) -> Finding {
        Finding(subject: subject, level: .good, message: message, status: 0)
    }

    static func note(_ subject: String, _ message: String) -> Finding {
        Finding(subject: subject, level: .note, message: message, status: 0)
    }

    static func fault(_ subject: String, _ message: String, _ status: Int32) -> Finding {
        Finding(subject: subject, level: .fault, message: message, status: status)
    }

    var json: JSONValue {
        .object([.init("subject", .string(subject)), .init("level", .string(level.rawValue)), .init("message", .string(message))])
    }
}
