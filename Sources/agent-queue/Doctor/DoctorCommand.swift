import AgentQueueReports
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
        let findings = try await findings()
        try print(findings)
        if let problem = findings.lazy.compactMap(\.problem).first { throw ExitCode(ExitStatus(problem).rawValue) }
    }

    private func findings() async throws -> [Finding] {
        let place = try LaunchContext(global)
        let faults = Settings.check(
            configPath: global.config, environment: place.environment, currentDirectory: place.folder, overrides: place.overrides)
        guard faults.isEmpty else { return faults.map { .fault("configuration", $0.description, .badConfiguration) } }
        let session = try Session(global)
        let unavailable = await ProviderOverview.unavailable(session.settings, environment: session.environment)
        return ConfigurationCheck.findings(session.settings, unavailable: unavailable)
            + ConnectionsCheck.findings(session.settings, environment: session.environment) + FileCheck.findings(session.settings.database)
            + (await stored(session, unavailable: unavailable))
    }

    /// Findings about the database. Failing to open it is a finding too.
    private func stored(_ session: Session, unavailable: [String: String]) async -> [Finding] {
        do {
            return try await session.withExistingStore { store in
                guard let store else { return [] }
                let now = Now.milliseconds
                return try StoreCheck.findings(store, session.settings, unavailable: unavailable, now: now)
                    + GatewayCheck.findings(store, session.settings, now: now)
            }
        } catch {
            return [.fault("database", "\(error)", Problem(error) ?? .internalError)]
        }
    }

    private func print(_ findings: [Finding]) throws {
        var output = Output()
        for finding in findings {
            if format.json {
                try output.json(finding.json)
            } else {
                let level = Style.apply(Style(finding.level.tone), to: finding.level.rawValue, on: .output)
                let padding = String(repeating: " ", count: 6 - finding.level.rawValue.count)
                try output.line("\(level)\(padding)\(finding.subject): \(DisplayText.line(finding.message))")
            }
        }
        try output.flush()
    }
}
