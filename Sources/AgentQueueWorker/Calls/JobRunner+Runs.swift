import AgentQueueModel
import AgentQueueStore
import Logging

/// Steps of runs. What the run does next is stored in the transaction that settles the step.
extension JobRunner {
    /// How often the decision is repeated because the run has changed meanwhile. After that, the step is settled alone, and maintenance
    /// resumes the run.
    private static let planTries = 8

    /// Settles an attempt together with what its run does next.
    func settleStep(_ request: SettleRequest) async throws -> SettleResult {
        guard request.settlement.state.isFinal else { return try await store.claims.settle(request) }
        return try await advancing(request.job, Self.outcome(of: request)) { [store] advance in
            var request = request
            request.advance = advance
            return try await store.claims.settle(request)
        } ?? .fenced
    }

    /// Ends a step with `settle`, which receives what the run does next; nil leaves that to maintenance.
    /// - Returns: the result of `settle`.
    func advancing(
        _ job: ClaimedJob, _ outcome: @autoclosure () -> StepEnd.Outcome?, _ settle: (RunAdvance?) async throws -> SettleResult?
    ) async throws -> SettleResult? {
        guard job.runID != nil, planner != nil, let outcome = outcome() else { return try await settle(nil) }
        for _ in 0..<Self.planTries {
            guard let advance = plan(job, outcome) else { break }
            do {
                let result = try await settle(advance)
                guard result == .stale else {
                    if case .settled(let state) = result, (state == .completed) == outcome.isCompleted { say(advance) }
                    return result
                }
            } catch let error as StoreError where error.kind == .internal {
                // The decision contradicts the stored run. Maintenance will resume it; the step's answer is kept.
                logger.error("a run could not go on with its step", metadata: ["job": .stringConvertible(job.id), "error": "\(error)"])
                break
            }
        }
        return try await settle(nil)
    }

    /// What the run does after this outcome of the job; nil leaves that to maintenance.
    private func plan(_ job: ClaimedJob, _ outcome: StepEnd.Outcome) -> RunAdvance? {
        guard let planner, let run = job.runID else { return nil }
        do {
            // In a wide run, maintenance handles many ended steps at once.
            guard try !store.runs.hasManyCalls(run: run) else { return nil }
            guard let snapshot = try store.runs.snapshot(run),
                let step = snapshot.steps.values.first(where: { $0.jobID == job.id }), step.state == .running
            else { return nil }
            let ended = StepEnd(path: step.path, jobID: job.id, outcome: outcome)
            return snapshot.state.isFinal ? snapshot.recordingEnds(and: ended) : try planner.plan(snapshot, ended: ended)
        } catch {
            logger.warning("what a run does next could not be decided", metadata: ["run": .stringConvertible(run), "error": "\(error)"])
            return nil
        }
    }

    private static func outcome(of request: SettleRequest) -> StepEnd.Outcome? {
        if request.settlement.state == .completed { return request.result?.text.map { .completed(text: $0) } }
        return .failed(message: request.error?.message ?? "it ended without an answer")
    }

    private func say(_ advance: RunAdvance) {
        if !advance.begun.isEmpty {
            logger.debug(
                "run \(advance.run) goes on", metadata: ["begun": "\(advance.begun.prefix(20).map(\.path).joined(separator: " "))"])
        }
        guard let end = advance.end else { return }
        logger.info("run \(advance.run) \(end.state.rawValue)", metadata: end.reason.map { ["reason": "\($0)"] } ?? [:])
    }
}

extension StepEnd.Outcome {
    fileprivate var isCompleted: Bool {
        if case .completed = self { true } else { false }
    }
}
