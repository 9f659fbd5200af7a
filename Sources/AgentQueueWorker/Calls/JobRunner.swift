import AgentQueueModel
import AgentQueueStore
import Logging

/// Runs claimed jobs, from their leases to their settlements.
///
/// A job that has a call of its own goes through the stages of ``run(_:)`` one after the other. What is known of it stands in
/// one ``JobCall``, which each stage takes further; a stage leaves a call alone that is not open to it. Jobs that share a call go through
/// the same stages together (SharedCalls), as do jobs that remember texts (Memory).
struct JobRunner: Sendable {
    let store: QueueStore
    let providers: [String: any ModelProvider]
    let configuration: WorkerConfiguration
    /// Answers kept in memory in front of the store.
    let cache: ResponseCache?
    /// Answers to near prompts.
    let semantic: SemanticCache?
    /// Finds what goes into prompts; nil where the worker has nothing to do with memories.
    var recaller: Recaller?
    let inFlight: InFlight
    let calls: CallRegion?
    let logger: Logger
    /// Told what became of the job.
    let report: @Sendable (WorkerEvent) -> Void
    /// Decides what runs do next when their steps end here; nil where that is left to others.
    var planner: (any RunPlanner)?

    /// Runs the jobs of one call.
    func run(_ jobs: [ClaimedJob]) async {
        defer { inFlight.endCall() }
        if jobs[0].kind == .memorize {
            await runMemorize(jobs)
        } else if jobs.count == 1 {
            await run(jobs[0])
        } else {
            await runTogether(jobs)
        }
    }

    /// Runs a job that has a call of its own.
    private func run(_ job: ClaimedJob) async {
        var call = JobCall(job)
        await route(&call)
        await fromCache(&call)
        let slot = reserve(call)
        defer { release(slot) }
        await recall(&call)
        await fromNearPrompt(&call)
        repeat {
            await ask(&call)
            call.check()
        } while await fallBack(&call)
        await settle(&call)
        await rememberPrompt(of: call)
    }

    /// What the end of an attempt comes to.
    var settlements: SettlementBuilder { SettlementBuilder(configuration) }

    /// Notes that a job's call begins, so that a crash is laid to it and to no job that was only claimed.
    private func reserve(_ call: JobCall) -> Int? { call.isOpen ? calls?.begin(job: call.job.id) : nil }

    private func release(_ slot: Int?) { calls?.end(slot) }
}
