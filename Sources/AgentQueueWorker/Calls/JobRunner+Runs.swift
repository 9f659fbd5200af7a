import AgentQueueModel
import AgentQueueStore
import Logging

/// Steps of runs: what a run does next is written in the transaction that settles the step.
extension JobRunner {
    /// How often what a run does next is decided anew because the run has changed meanwhile. Thereafter the step is settled alone, and
    /// whoever looks after the run tells it of the end.
    private static let planTries = 8

    /// Settles an attempt, with what its run does next if it ends thereby.
    func settleStep(_ request: SettleRequest) async throws -> SettleResult {
        guard request.settlement.state.isFinal else { return try await store.claims.settle(request) }
        return try await advancing(request.job, Self.outcome(of: request)) { [store] advance in
            var request = request
            request.advance = advance
            return try await store.claims.settle(request)
        } ?? .fenced
    }

    /// Ends a step by `settle`, which is given what its run does next; nil where that is left to whoever looks after the run.
    /// - Returns: what `settle` does.
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
                // What contradicts the run: the general way ends it. The step's answer is not lost for that.
                logger.error("a run could not go on with its step", metadata: ["job": "\(job.id)", "error": "\(error)"])
                break
            }
        }
        return try await settle(nil)
    }

    /// What the run of a job does once the job ends so; nil where that is left to whoever looks after the run.
    private func plan(_ job: ClaimedJob, _ outcome: StepEnd.Outcome) -> RunAdvance? {
        guard let planner, let run = job.runID else { return nil }
        do {
            // Then many ends are told at once.
            guard try !store.runs.hasManyCalls(run: run) else { return nil }
            guard let snapshot = try store.runs.snapshot(run),
                let step = snapshot.steps.values.first(where: { $0.jobID == job.id }), step.state == .running
            else { return nil }
            let ended = StepEnd(path: step.path, jobID: job.id, outcome: outcome)
            return snapshot.state.isFinal ? snapshot.recordingEnds(and: ended) : try planner.plan(snapshot, ended: ended)
        } catch {
            logger.warning("what a run does next could not be decided", metadata: ["run": "\(run)", "error": "\(error)"])
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
