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
            Waiting jobs are cancelled immediately, running jobs within a second, on any worker. If identical jobs wait for the \
            answer of a running job, its call continues for them, and the job is cancelled when the call returns.

              agent-queue cancel 17 18
              agent-queue cancel --batch monday
            """)

    @OptionGroup var jobs: JobSelection

    func run() async throws {
        try await jobs.change(.cancelled) {
            try await $0.jobs.cancel(ids: $1)
        } matching: {
            try await $0.jobs.cancel(where: $1)
        }
    }
}

/// `agent-queue retry`
struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Retry cancelled or failed jobs.",
        discussion: """
            A job gets all its attempts again, and jobs that were cancelled because it failed wait for it again. A job that is waiting \
            for its next attempt runs now.

              agent-queue retry 17
              agent-queue retry --state failed --since 1d
            """)

    @OptionGroup var jobs: JobSelection

    func run() async throws {
        try await jobs.change(.retried) {
            try await $0.jobs.retry(ids: $1)
        } matching: {
            try await $0.jobs.retry(where: $1)
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

    @OptionGroup var jobs: JobSelection

    func run() async throws {
        try await jobs.change(.deleted) {
            try await $0.jobs.delete(ids: $1)
        } matching: {
            try await $0.jobs.delete(where: $1)
        }
    }
}

/// The jobs that a command changes, by ID or by filters.
struct JobSelection: ParsableArguments {
    @Argument(help: ArgumentHelp("Job IDs.", valueName: "id"))
    var ids: [Int64] = []

    @OptionGroup(title: "Filters")
    var filters: FilterOptions

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        let isFiltered = !filters.filter.isEmpty
        if ids.isEmpty, !isFiltered {
            throw ValidationError("give job IDs or at least one filter (--batch, --state, --queue, --model, --tag, --since)")
        }
        if !ids.isEmpty, isFiltered {
            throw ValidationError("job IDs and filters are mutually exclusive")
        }
    }

    /// Changes the jobs and prints the results.
    func change(
        _ verb: ChangeVerb, ids change: (QueueStore, [Int64]) async throws -> [JobChange],
        matching changeAll: (QueueStore, JobFilter) async throws -> Int
    ) async throws {
        try await Session(global).withStore { store in
            guard ids.isEmpty else {
                var report = ChangeReport("job", format)
                for change in try await change(store, ids) { try report.add(ChangeOutcome(change, verb)) }
                return try report.finish()
            }
            let count = try await changeAll(store, filters.filter)
            try format.print(
                .object([.init(verb.rawValue, .integer(Int64(count)))]), line: "\(count) \(count == 1 ? "job" : "jobs") \(verb.rawValue)")
        }
    }
}
