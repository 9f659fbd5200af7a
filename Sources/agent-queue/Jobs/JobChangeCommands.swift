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
            A waiting job is cancelled immediately. The call of a running job is stopped within a second, on whatever worker it runs, \
            unless identical jobs wait for its answer: then the call continues for them, and the job is cancelled when the call ends.

              agent-queue cancel 17 18
              agent-queue cancel --batch monday --yes
            """)

    @OptionGroup var jobs: JobSelection

    func run() async throws {
        try await jobs.change(.cancel) {
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

            --again asks completed jobs anew, without the cache, and removes the cached answer. The new answer takes the place of the old \
            one, which `show` keeps as the previous result; if the new attempt fails, the job has failed.

              agent-queue retry 17
              agent-queue retry --state failed --since 1d --dry-run
              agent-queue retry --state failed --error-class rate_limited,overloaded --yes
              agent-queue retry --again 17
            """)

    @Flag(name: .long, help: "Ask completed jobs, given by ID, anew.")
    var again = false

    @OptionGroup var jobs: JobSelection

    func validate() throws {
        guard again else { return }
        if jobs.ids.isEmpty { throw ValidationError("--again requires job IDs") }
        if jobs.dryRun { throw ValidationError("--again cannot be combined with --dry-run") }
    }

    func run() async throws {
        try await jobs.change(.retry) {
            try await again ? $0.jobs.askAgain(ids: $1) : $0.jobs.retry(ids: $1)
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
              agent-queue delete --state cancelled --queue trial --yes
            """)

    @OptionGroup var jobs: JobSelection

    func run() async throws {
        try await jobs.change(.delete) {
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

    @Flag(name: .shortAndLong, help: "With filters: change more than 20 jobs without asking. Required if there is no terminal to ask on.")
    var yes = false

    @Flag(name: .long, help: "Show how many jobs would be changed, without changing any.")
    var dryRun = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    /// How many jobs a filter may change without a question.
    static let mostUnasked = 20

    func validate() throws {
        let isFiltered = !filters.filter.isEmpty
        if ids.isEmpty, !isFiltered {
            throw ValidationError(
                "give job IDs or at least one filter (--batch, --state, --queue, --model, --tag, --error-class, --since, …)")
        }
        if !ids.isEmpty, isFiltered {
            throw ValidationError("job IDs and filters are mutually exclusive")
        }
    }

    /// Changes the jobs and prints the results.
    func change(
        _ operation: JobOperation, ids change: (QueueStore, [Int64]) async throws -> [JobChange],
        matching changeAll: (QueueStore, JobFilter) async throws -> Int
    ) async throws {
        try await Session(global).withStore { store in
            let verb = ChangeVerb(operation)
            guard ids.isEmpty else {
                if dryRun { return try report(countOfIDs(operation, in: store), verb) }
                var report = ChangeReport("job", format)
                for change in try await change(store, ids) { try report.add(ChangeOutcome(change, verb)) }
                return try report.finish()
            }
            let filter = try filters.filter(in: store)
            if dryRun { return try report(store.jobs.count(for: operation, where: filter), verb) }
            guard try yes || isAgreed(operation, filter, in: store) else { return Diagnostics.say("nothing was \(verb.rawValue)") }
            try report(try await changeAll(store, filter), verb)
        }
    }

    /// Whether the jobs are few, or a person at the terminal agrees.
    ///
    /// - Throws: `CommandFailure` if they are many and there is no terminal.
    private func isAgreed(_ operation: JobOperation, _ filter: JobFilter, in store: QueueStore) throws -> Bool {
        let count = try store.jobs.count(for: operation, where: filter)
        guard count > Self.mostUnasked else { return true }
        let jobs = Figures.count(count, "job")
        if let isAgreed = Question.ask("\(operation.imperative) \(jobs)?") { return isAgreed }
        throw CommandFailure(
            .usage, "this would \(operation.imperative.lowercased()) \(jobs); add --yes to do so, or --dry-run to only count them")
    }

    private func countOfIDs(_ operation: JobOperation, in store: QueueStore) throws -> Int {
        let states = try store.jobs.states(of: ids)
        if let missing = ids.first(where: { states[$0] == nil }) { throw JobFailure.notFound(missing) }
        return states.values.count { operation.states.contains($0) }
    }

    private func report(_ count: Int, _ verb: ChangeVerb) throws {
        var members: [JSONValue.Member] = [.init(verb.rawValue, .integer(Int64(count)))]
        if dryRun { members.append(.init("dry_run", true)) }
        try format.print(
            .object(members), line: "\(Figures.count(count, "job")) \(dryRun ? "would be " : "")\(verb.rawValue)")
    }
}

extension JobOperation {
    fileprivate var imperative: String {
        switch self {
        case .cancel: "Cancel"
        case .retry: "Retry"
        case .delete: "Delete"
        }
    }
}
