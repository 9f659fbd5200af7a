import AgentQueueModel

/// Ensembles: their calls and their judges.
extension Evaluation {
    func unit(_ path: String, _ ensemble: EnsemblePlan, _ plan: CallPlan, at place: EvaluationContext) throws(Suspension) -> Unit {
        let members = try members(of: ensemble, path, plan)
        var unit = Unit(path: path, state: .waiting, members: members)
        var isWaiting = false
        var failures: [String] = []
        for member in members {
            var state: Unit.State
            if let known = calls[member.path] {
                state = Self.state(of: known, member.path)
            } else {
                state = try begin(member.path, plan.question, plan, at: place) { call in
                    call.model = member.model ?? call.model
                    call.sample = member.sample
                }
            }
            if case .waiting = state { isWaiting = true }
            if case .failed(let reason) = state { failures.append(reason) }
        }
        if isWaiting { return unit }
        if failures.count == members.count {
            unit.state = .failed(members.count == 1 ? failures[0] : "all \(members.count) calls of \(path) failed; \(failures[0])")
        } else if let judge = ensemble.judge {
            unit.state = try judged(unit, judge, plan, at: place)
        } else {
            unit.state = .ended
        }
        return unit
    }

    private func judged(_ unit: Unit, _ judge: QuestionPlan, _ plan: CallPlan, at place: EvaluationContext) throws(Suspension) -> Unit.State
    {
        let path = unit.path + "~judge"
        if let known = calls[path] { return Self.state(of: known, path) }
        let before = missing.count
        let answers = answers(of: unit, plan)
        guard missing.count == before else { throw .missing }
        guard !answers.isEmpty else { return .failed("no answer of \(unit.path) is JSON") }
        var place = place
        place.answers = .array(
            answers.enumerated().map { index, answer in
                let target = answer.member.model.map(JSONValue.string) ?? .null
                return ["number": .integer(Int64(index + 1)), "output": answer.value, "target": target]
            })
        return try begin(path, judge, plan, at: place) { call in
            call.schema = Judge.schema(of: answers.count)
            call.sample = nil
            (call.recall, call.remembers, call.namespaces) = (nil, false, [])
        }
    }

    /// The usable answers of an ensemble, in the order of its calls. Missing outputs are noted.
    func answers(of unit: Unit, _ plan: CallPlan) -> [(member: Unit.Member, value: JSONValue)] {
        unit.members.compactMap { member in
            guard calls[member.path]?.state == .completed, case .value(let value)? = answer(at: member.path, isParsed: plan.isParsed) else {
                return nil
            }
            return (member, value)
        }
    }

    /// All calls of an ensemble: its targets, each once for each sample.
    private func members(of ensemble: EnsemblePlan, _ path: String, _ plan: CallPlan) throws(Suspension) -> [Unit.Member] {
        let own = target(plan.question.model) ?? model ?? target(graph.model)
        let targets: [String?]
        switch ensemble.targets {
        case .own: targets = [own]
        case .names(let names): targets = names.map { target($0) }
        case .path(let reference):
            let list = try values([reference], at: EvaluationContext(scope: StepScope(prefix: "", steps: []))).value(at: reference.path)
            guard let names = list.array?.compactMap(\.string), names.count == list.array?.count, !names.isEmpty else {
                throw .failed("\(path): its targets are not a list of names")
            }
            targets = names
        }
        let samples = number(ensemble.samples, in: 1...Ensemble.maxMembers)
        guard targets.count * samples <= Ensemble.maxMembers else {
            throw .failed("\(path): \(targets.count * samples) calls are too many for an ensemble (at most \(Ensemble.maxMembers))")
        }
        let all = targets.flatMap { Array(repeating: $0, count: samples) }
        var seen: [String?: Int] = [:]
        return all.enumerated().map { place, target in
            // Equal requests to one target would share one call.
            seen[target, default: 0] += 1
            let isAlone = all.count { $0 == target } == 1
            return Unit.Member(path: "\(path)~\(place)", model: target, sample: isAlone ? plan.call.sample : seen[target])
        }
    }
}
