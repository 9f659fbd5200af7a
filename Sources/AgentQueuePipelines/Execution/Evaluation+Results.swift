import AgentQueueModel

/// Results of units whose calls have ended.
extension Evaluation {
    /// The result of a unit; nil if it is left out, or if outputs are missing, which is noted.
    func result(of unit: Unit, _ plan: CallPlan) -> UnitResult? {
        if let known = results[unit.path] { return known }
        let result: UnitResult?
        switch unit.state {
        case .waiting, .skipped: return nil
        case .failed(let reason): result = .failed(reason)
        case .ended:
            if let ensemble = plan.ensemble {
                result = self.result(of: unit, ensemble, plan)
                // It is not known which answer is to blame, so all are requested again.
                if case .failed? = result { unusable.formUnion(unit.members.map(\.path) + [unit.path + "~judge"]) }
            } else {
                result = answer(at: unit.path, isParsed: plan.isParsed)
            }
        }
        results[unit.path] = result
        return result
    }

    /// A call's answer; nil if its output is missing.
    func answer(at path: String, isParsed: Bool) -> UnitResult? {
        guard let text = text(of: path) else { return nil }
        guard isParsed else { return .value(.string(text)) }
        do {
            return .value(try ReplyValue(in: text).json)
        } catch {
            unusable.insert(path)
            return .failed("\(path) failed: \(error.description)")
        }
    }

    private func result(of unit: Unit, _ ensemble: EnsemblePlan, _ plan: CallPlan) -> UnitResult? {
        let before = missing.count
        let answers = answers(of: unit, plan)
        guard missing.count == before else { return nil }
        guard !answers.isEmpty else { return .failed("\(unit.path) failed: no answer is JSON") }
        switch ensemble.combine {
        case .all:
            return .value(
                .array(unit.members.map { member in answers.first { $0.member.path == member.path }?.value ?? .null }))
        case .vote(let path): return vote(answers.map(\.value), by: path, of: unit, ensemble)
        case .judge: return judgement(answers.map(\.value), unit, ensemble)
        }
    }

    private func vote(_ answers: [JSONValue], by path: [Expression.Step], of unit: Unit, _ ensemble: EnsemblePlan) -> UnitResult {
        let keys = answers.map { Self.ballot($0.value(at: path)) }
        var counts: [[UInt8]: Int] = [:]
        for key in keys { counts[key, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        let winner = keys.firstIndex { counts[$0] == most } ?? 0
        let share = Double(most) / Double(unit.members.count)
        if let wanted = ensemble.confidence, share < wanted {
            return .failed("\(unit.path) failed: agreed by \(Self.shown(share)), wanted \(Self.shown(wanted))")
        }
        return .value(answers[winner])
    }

    /// Votes with the same key are equal: the case of texts and the spaces around them do not matter.
    private static func ballot(_ value: JSONValue) -> [UInt8] {
        guard let text = value.string else { return value.equalityKey }
        let bare = text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
        return JSONValue.string(String(bare).lowercased()).equalityKey
    }

    private func judgement(_ answers: [JSONValue], _ unit: Unit, _ ensemble: EnsemblePlan) -> UnitResult? {
        let path = unit.path + "~judge"
        guard let answer = answer(at: path, isParsed: true) else { return nil }
        guard case .value(let verdict) = answer else { return answer }
        guard let choice = verdict["choice"]?.int, answers.indices.contains(choice - 1) else {
            return .failed("\(path) failed: it chose none of the \(answers.count) answers")
        }
        if let wanted = ensemble.confidence {
            let confidence = verdict["confidence"]?.number ?? 0
            guard confidence >= wanted else {
                return .failed("\(unit.path) failed: judged with confidence \(Self.shown(confidence)), wanted \(Self.shown(wanted))")
            }
        }
        return .value(answers[choice - 1])
    }

    /// A share with at most two decimals.
    private static func shown(_ share: Double) -> String {
        let hundredths = (share * 100).rounded() / 100
        return JSONValue.double(hundredths).text
    }
}

/// What makes one output of a step: a call, or an ensemble of calls. Steps with `foreach` have one for each item.
struct Unit {
    /// Its state according to the records.
    enum State {
        case waiting
        /// All its calls have ended, and not all of them failed.
        case ended
        case skipped
        case failed(String)
    }

    /// Its path: `plan`, `code[3]`.
    var path: String
    var state: State
    /// The calls of its ensemble; empty for a single call.
    var members: [Member] = []

    /// A call of an ensemble.
    struct Member {
        /// Its path: `title~2`.
        var path: String
        /// `provider/model`; nil for the run's.
        var model: String?
        /// Distinguishes it from other calls to the same target, from 1.
        var sample: Int?
    }
}

/// The result of a unit whose calls have ended.
enum UnitResult {
    case value(JSONValue)
    case failed(String)
}
