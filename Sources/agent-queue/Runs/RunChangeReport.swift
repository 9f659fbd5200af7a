import ArgumentParser
import JobModel

/// Prints what `run cancel` and `run retry` have done. What could not be done is said on standard error too, and makes the exit code.
struct RunChangeReport {
    private let json: Bool
    private var output = Output()
    private var table = Table([Column("ID", isNumber: true), Column("RESULT")])
    private var hasFailed = false

    /// What became of a run.
    enum Change {
        /// It was changed, and now stands so; the word says what was done.
        case changed(RunState, String)
        case unchanged(RunState)
        case notFound
    }

    init(json: Bool) {
        self.json = json
    }

    mutating func add(_ id: Int64, _ change: Change) throws {
        let (word, state, sentence): (String, RunState?, String) =
            switch change {
            case .changed(let state, let done): ("changed", state, done)
            case .unchanged(let state): ("unchanged", state, "left as it is, for it is \(state.rawValue)")
            case .notFound: ("not_found", nil, "there is no such run")
            }
        if state == nil {
            hasFailed = true
            Diagnostics.say("run \(id): \(sentence)")
        } else if !json {
            table.add([Cell("\(id)"), Cell(sentence)])
        }
        guard json else { return }
        try output.json(
            .object([
                .init("id", .integer(id)), .init("result", .string(word)), .init("state", JobJSON.string(state?.rawValue)),
                .init("reason", word == "changed" ? .null : .string(sentence)),
            ]))
    }

    /// - Throws: the exit code, where a run was not there.
    mutating func end() throws {
        if !table.isEmpty { try output.lines(table.takeLines()) }
        try output.flush()
        if hasFailed { throw ExitCode(ExitStatus.badInput.rawValue) }
    }
}
