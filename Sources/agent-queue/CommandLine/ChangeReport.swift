import AgentQueueReports
import ArgumentParser

/// Prints what a command did to jobs or runs. Failures go to standard error too and decide the exit code.
struct ChangeReport {
    /// `job` or `run`.
    private let noun: String
    private let json: Bool
    private var output = Output()
    private var table = Table([Column("ID", isNumber: true), Column("RESULT", .text)])
    private var hasFailed = false

    init(_ noun: String, _ format: FormatOptions) {
        self.noun = noun
        json = format.json
    }

    mutating func add(_ outcome: ChangeOutcome) throws {
        if !outcome.isDone {
            hasFailed = true
            Diagnostics.say("\(noun) \(outcome.id): \(outcome.sentence)")
        } else if !json {
            table.add([Cell("\(outcome.id)"), Cell(outcome.sentence)])
        }
        if json { try output.json(outcome.json) }
    }

    /// - Throws: The exit code, if something could not be done.
    mutating func finish() throws {
        if !table.isEmpty { try output.lines(table.takeLines()) }
        try output.flush()
        if hasFailed { throw ExitCode(ExitStatus.badInput.rawValue) }
    }
}
