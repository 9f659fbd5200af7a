import AgentQueueModel

/// Groups: rounds, and when they end.
extension Evaluation {
    func status(of step: StepPlan, _ group: GroupPlan, in scope: StepScope) throws(Suspension) -> StepStatus {
        let base = scope.prefix + step.name
        let times = group.times.map { number($0, in: Repetition.bounds) } ?? 1
        var rounds: [StepScope] = []
        while true {
            let round = rounds.count + 1
            let inner = StepScope(prefix: "\(base)/\(round)/", steps: group.steps, parent: scope, round: round, previous: rounds.last)
            let (before, wasDue) = (wanted.count, isDue)
            switch walk(inner) {
            case .waiting: return .waiting
            case .complete: rounds.append(inner)
            case .failed(let reason):
                // Start nothing more of this round. If the group may fail, wait until its calls have ended, so that none outlives the run.
                wanted.removeSubrange(before...)
                isDue = wasDue
                if step.onFailure != .fail, isRunning(below: base + "/") { return .waiting }
                throw .failed(reason)
            }
            if round == times { break }
            // A round that has started shows that the previous one was not the last.
            if begun.contains("\(base)/\(round + 1)/") { continue }
            if try isOver(group, rounds) { break }
        }
        scope.rounds[step.name] = rounds
        return .done
    }

    private func isRunning(below prefix: String) -> Bool {
        calls.contains { $0.value.state == .running && $0.key.hasPrefix(prefix) }
    }

    /// Whether no other round follows.
    private func isOver(_ group: GroupPlan, _ rounds: [StepScope]) throws(Suspension) -> Bool {
        guard let last = rounds.last else { return false }
        if let until = group.until, try holds(until, at: EvaluationContext(scope: last)) { return true }
        guard let improves = group.improves else { return false }
        guard let scores = scores(improves, rounds) else { throw .missing }
        let best = Self.best(scores)
        return scores.count - 1 - best >= number(group.patience, in: Repetition.bounds)
    }

    /// The score of each round, or nil if an output that holds one is not at hand.
    ///
    /// A round whose value is not a number (a step was skipped, or its answer says something else) has no score, and is never the best.
    private func scores(_ path: Reference, _ rounds: [StepScope]) -> [Double?]? {
        // Every round is read before giving up, so that all missing outputs are asked for at once.
        let values = rounds.map { knownValues([path], at: EvaluationContext(scope: $0)) }
        guard !values.contains(nil) else { return nil }
        return values.map { $0?.value(at: path.path).number }
    }

    /// The index of the highest score; of equal ones, the first.
    private static func best(_ scores: [Double?]) -> Int {
        var best = 0
        for (place, score) in scores.enumerated() where (score ?? -.infinity) > (scores[best] ?? -.infinity) { best = place }
        return best
    }

    /// The round whose outputs are the group's, once it has ended. Nil if the outputs that decide are not at hand.
    func chosenRound(of group: GroupPlan, _ rounds: [StepScope]) -> StepScope? {
        guard let improves = group.improves, rounds.count > 1 else { return rounds.last }
        guard let scores = scores(improves, rounds) else { return nil }
        return rounds[Self.best(scores)]
    }
}
