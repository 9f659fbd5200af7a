import ArgumentParser
import JobModel
import QueueStore

/// Prints what `cancel`, `retry` and `delete` have done.
struct JobChangeReport {
    let verb: ChangeVerb
    let json: Bool

    /// Of jobs by number. What could not be done is said on standard error too, and makes the exit code.
    func print(_ changes: [JobChange]) throws {
        var output = Output()
        var table = Table([Column("ID", isNumber: true), Column("RESULT")])
        var hasFailed = false
        for change in changes {
            let (word, state, sentence) = outcome(change)
            if state == nil {
                hasFailed = true
                Diagnostics.say("job \(change.id): \(sentence)")
            } else if !json {
                table.add([Cell("\(change.id)"), Cell(sentence)])
            }
            if json {
                try output.json(
                    .object([
                        .init("id", .integer(change.id)), .init("result", .string(word)), .init("state", JobJSON.string(state?.rawValue)),
                        .init("reason", word == "changed" ? .null : .string(sentence)),
                    ]))
            }
        }
        if !table.isEmpty { try output.lines(table.takeLines()) }
        try output.flush()
        if hasFailed { throw ExitCode(ExitStatus.badInput.rawValue) }
    }

    /// Of jobs by what they are.
    func print(count: Int) throws {
        var output = Output()
        if json {
            try output.json(.object([.init(verb.rawValue, .integer(Int64(count)))]))
        } else {
            try output.line("\(count) \(count == 1 ? "job" : "jobs") \(verb.rawValue)")
        }
        try output.flush()
    }

    private func outcome(_ change: JobChange) -> (word: String, state: JobState?, sentence: String) {
        switch change.result {
        case .changed(let state): ("changed", state, verb.outcome(of: state))
        case .unchanged(let state): ("unchanged", state, "left as it is, for it is \(state.rawValue)")
        case .notFound: ("not_found", nil, "there is no such job")
        case .refused(let reason): ("refused", nil, "not \(verb.rawValue), for \(reason)")
        }
    }
}
