import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging

/// Runs claimed jobs up to their settlement.
///
/// A job with its own call goes through the stages of ``run(_:)`` in order. Its state is a ``JobCall`` that each stage advances; a stage
/// that does not apply leaves it unchanged. Jobs that share a call go through the same stages together (see SharedCalls), and so do jobs
/// that remember texts (see Memory).
struct JobRunner: Sendable {
    let store: QueueStore
    let providers: [String: any ModelProvider]
    let configuration: WorkerConfiguration
    /// A cache in memory in front of the store's; nil for none.
    let cache: ResponseCache?
    /// The semantic cache; nil if disabled.
    let semantic: SemanticCache?
    /// Finds memories for prompts; nil if the worker is not configured for memories.
    var recaller: Recaller?
    let inFlight: InFlight
    let calls: CallRegion?
    let logger: Logger
    /// Receives an event for each ended attempt.
    let report: @Sendable (JobEvent) -> Void
    /// Decides what a run does next when one of its steps ends here; nil leaves that to maintenance.
    var planner: (any RunPlanner)?
    /// Those in this process who wait for answers; nil if there are none.
    var audience: (any ReplyAudience)?

    /// Runs the jobs of one call.
    func run(_ jobs: [ClaimedJob]) async {
        defer { inFlight.endCall(of: jobs[0].route.provider, now: platform_monotonic_ns()) }
        if jobs[0].kind == .memorize {
            await runMemorize(jobs)
        } else if jobs.count == 1 {
            await run(jobs[0])
        } else {
            await runTogether(jobs)
        }
    }

    /// Runs a job with its own call.
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

    /// Maps the ends of attempts to settlements.
    var settlements: SettlementBuilder { SettlementBuilder(configuration) }

    /// Records that the job's call begins, so that a crash of this process counts against it and not against jobs that were only claimed.
    private func reserve(_ call: JobCall) -> Int? { call.isOpen ? calls?.begin(job: call.job.id) : nil }

    private func release(_ slot: Int?) { calls?.end(slot) }
}
