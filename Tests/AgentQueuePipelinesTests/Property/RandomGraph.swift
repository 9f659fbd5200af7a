import AgentQueueModel
import AgentQueuePipelines
import AgentQueueTestSupport

/// Random graphs: every feature of steps, in random company.
struct RandomGraph {
    private var random: SeededGenerator
    private var count = 0

    /// What a step may use of another.
    private struct Known {
        var path: String
        var kind: Kind

        enum Kind {
            case text, json, list
        }
    }

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func steps() -> [PlainStep] {
        steps(Int.random(in: 1...6, using: &random), [Known(path: "inputs.items", kind: .list)], depth: 0)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func steps(_ number: Int, _ outer: [Known], depth: Int) -> [PlainStep] {
        var known = outer
        var steps: [PlainStep] = []
        for _ in 0..<number {
            count += 1
            let name = "s\(count)"
            if depth < 2, chance(20) {
                steps.append(group(name, known, steps.map(\.name), depth: depth, visible: &known))
            } else {
                let step = call(name, known, steps.map(\.name), depth: depth)
                steps.append(step)
                known.append(Known(path: name, kind: Self.kind(of: step)))
            }
        }
        return steps.shuffled(using: &random)
    }

    private static func kind(of step: PlainStep) -> Known.Kind {
        guard case .call(let call) = step.work else { return .json }
        if call.foreach != nil || call.ensemble?.kind == .all { return .list }
        return call.isJSON ? .json : .text
    }

    private mutating func call(_ name: String, _ known: [Known], _ siblings: [String], depth: Int) -> PlainStep {
        var call = PlainCall(isJSON: chance(40))
        if chance(30) {
            let lists = known.compactMap { $0.kind == .list ? $0.path : $0.kind == .json ? $0.path + ".l" : nil }
            call.foreach = lists.randomElement(using: &random)
        }
        if chance(30) {
            let kind = [PlainEnsemble.Kind.all, .vote, .judge].randomElement(using: &random) ?? .all
            let confidence = kind != .all && chance(50) ? 0.4 : nil
            call.ensemble = PlainEnsemble(samples: Int.random(in: 1...3, using: &random), kind: kind, confidence: confidence)
        }
        var references = known.filter { _ in chance(30) }.map(\.path)
        if call.foreach != nil { references += ["item", "number", "count"] }
        if depth > 0 { references.append("round") }
        let answer: JSONValue = call.isJSON ? ["n": 0, "l": ["d"]] : "D"
        let policy: FailurePolicy =
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<3: .fail
            case 3..<7: .skip
            default: .fallback(call.ensemble?.kind == .all ? [answer] : answer)
            }
        return PlainStep(
            name: name, references: references, needs: siblings.filter { _ in chance(15) },
            when: condition(known, isForeach: call.foreach != nil, depth: depth), policy: policy, work: .call(call))
    }

    private mutating func condition(_ known: [Known], isForeach: Bool, depth: Int) -> PlainCondition? {
        guard chance(25) else { return nil }
        if isForeach, chance(50) { return .numberIsNot(2) }
        if depth > 0, chance(30) { return .round(atLeast: 2) }
        guard let one = known.filter({ $0.kind != .list }).randomElement(using: &random) else { return nil }
        return one.kind == .text ? .differs(one.path, from: "t1") : .more(one.path, than: 2)
    }

    private mutating func group(
        _ name: String, _ known: [Known], _ siblings: [String], depth: Int, visible: inout [Known]
    ) -> PlainStep {
        var steps = steps(Int.random(in: 1...4, using: &random), known, depth: depth + 1)
        let calls = steps.filter { if case .call = $0.work { true } else { false } }
        let scored = calls.filter { Self.kind(of: $0) == .json }.map(\.name)
        for place in steps.indices where chance(30) {
            if case .call = steps[place].work, let child = calls.randomElement(using: &random) {
                steps[place].references.append("previous.\(child.name)")
            }
        }
        visible += calls.map { Known(path: "\(name).\($0.name)", kind: Self.kind(of: $0)) }
        var group = PlainGroup(steps: steps, times: Int.random(in: 1...3, using: &random), patience: Int.random(in: 1...2, using: &random))
        if let child = scored.randomElement(using: &random) {
            if chance(50) { group.until = (child, 4) }
            if chance(50) { group.improves = child }
        }
        let policy: FailurePolicy = chance(50) ? .fail : chance(50) ? .skip : .fallback([:])
        return PlainStep(
            name: name, references: [], needs: siblings.filter { _ in chance(15) }, when: condition(known, isForeach: false, depth: depth),
            policy: policy, work: .group(group))
    }
}
