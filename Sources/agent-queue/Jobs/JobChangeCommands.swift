import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue cancel`
struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs.",
        discussion: """
            Waiting jobs are cancelled immediately, running jobs within a second, on any worker.

              agent-queue cancel 17 18
              agent-queue cancel --batch monday
            """)

    @OptionGroup var selection: JobSelection
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let report = JobChangeReport(verb: .cancelled, json: format.json)
            if selection.ids.isEmpty {
                try report.print(count: try await store.cancel(where: selection.filters.filter))
            } else {
                try report.print(try await store.cancel(ids: selection.ids))
            }
        }
    }
}

/// `agent-queue retry`
struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Retry cancelled or failed jobs.",
        discussion: """
            Attempts are counted from the start. Jobs that were cancelled because of them wait for them again. A job that is waiting \
            for its next attempt runs now.

              agent-queue retry 17
              agent-queue retry --state failed --since 1d
            """)

    @OptionGroup var selection: JobSelection
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let report = JobChangeReport(verb: .retried, json: format.json)
            if selection.ids.isEmpty {
                try report.print(count: try await store.retry(where: selection.filters.filter))
            } else {
                try report.print(try await store.retry(ids: selection.ids))
            }
        }
    }
}

/// `agent-queue delete`
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete finished jobs and their answers.",
        discussion: """
            Jobs that are unfinished or that other jobs depend on are not deleted; cancel unfinished jobs first.

              agent-queue delete 17
              agent-queue delete --state cancelled --queue trial
            """)

    @OptionGroup var selection: JobSelection
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let report = JobChangeReport(verb: .deleted, json: format.json)
            if selection.ids.isEmpty {
                try report.print(count: try await store.delete(where: selection.filters.filter))
            } else {
                try report.print(try await store.delete(ids: selection.ids))
            }
        }
    }
}

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
        case .unchanged(let state): ("unchanged", state, "unchanged: \(state.displayName)")
        case .notFound: ("not_found", nil, "not found")
        case .refused(let reason): ("refused", nil, "not \(verb.rawValue): \(reason)")
        }
    }
}

/// What a person wishes for jobs.
enum ChangeVerb: String {
    case cancelled
    case retried
    case deleted

    /// What became of a job, as a person reads it.
    func outcome(of state: JobState) -> String {
        switch (self, state) {
        case (.cancelled, .running): "running; cancellation requested"
        case (.retried, _): "retried, \(state.displayName)"
        default: rawValue
        }
    }
}
