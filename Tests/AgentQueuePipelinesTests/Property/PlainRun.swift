import AgentQueueModel
import AgentQueuePipelines

/// The same pipelines, gone through by plain recursion: everything at once, nothing kept, nothing replayed.
final class PlainRun {
    let model: PlainModel
    /// The prompts of all calls that there may be.
    private(set) var prompts: [String: String] = [:]
    /// Whether they were asked for JSON.
    private(set) var isJSON: [String: Bool] = [:]
    /// The calls that must have ended before one begins.
    private(set) var prerequisites: [String: Set<String>] = [:]
    /// Calls that there may be, or not: of what failed before its end.
    private(set) var uncertain: Set<String> = []

    /// What names mean, and which calls that took.
    struct Scene {
        var values: [String: JSONValue]
        var paths: [String: Set<String>] = [:]

        func value(_ path: String) -> JSONValue {
            path.split(separator: ".").reduce(JSONValue.object(values.map { .init($0.key, $0.value) })) { $0[String($1)] ?? .null }
        }

        func text(_ path: String) -> String {
            let value = value(path)
            return value.string ?? (value.isNull ? "" : value.text)
        }
    }

    init(_ model: PlainModel) {
        self.model = model
    }

    /// The values of steps beside each other; nil where one failed that they cannot do without.
    func run(_ steps: [PlainStep], _ prefix: String, _ outer: Scene) -> (values: [String: JSONValue]?, paths: Set<String>) {
        var scene = outer
        var rest = steps
        var values: [String: JSONValue] = [:]
        var paths: Set<String> = []
        var hasFailed = false
        let names = Set(steps.map(\.name))
        while let place = rest.firstIndex(where: { $0.roots.intersection(names).isSubset(of: values.keys) }) {
            let step = rest.remove(at: place)
            let (value, own) = run(step, prefix + step.name, scene)
            paths.formUnion(own)
            scene.paths[step.name] = own
            guard let value else {
                hasFailed = true
                continue
            }
            values[step.name] = value
            scene.values[step.name] = value
        }
        if hasFailed { uncertain.formUnion(paths) }
        return (hasFailed ? nil : values, paths)
    }

    private func run(_ step: PlainStep, _ path: String, _ scene: Scene) -> (JSONValue?, Set<String>) {
        if let when = step.when, !holds(when, scene) {
            guard case .numberIsNot = when else { return (.null, []) }
        }
        let before = step.roots.reduce(into: Set<String>()) { $0.formUnion(scene.paths[$1] ?? []) }
        switch step.work {
        case .group(let group): return run(group, step, path, scene, before)
        case .call(let call): return run(call, step, path, scene, before)
        }
    }

    private func holds(_ condition: PlainCondition, _ scene: Scene) -> Bool {
        switch condition {
        case .differs(let path, let text): scene.value(path) != .string(text)
        case .more(let path, let number): (scene.value(path + ".n").int ?? -1) > number
        case .round(let least): (scene.values["round"]?.int ?? 0) >= least
        case .numberIsNot(let number): scene.values["number"]?.int != number
        }
    }

    private func failed(_ policy: FailurePolicy) -> JSONValue? {
        switch policy {
        case .fail: nil
        case .skip: .null
        case .fallback(let value): value
        }
    }

    // MARK: Groups

    private func run(
        _ group: PlainGroup, _ step: PlainStep, _ path: String, _ scene: Scene, _ before: Set<String>
    ) -> (JSONValue?, Set<String>) {
        var paths: Set<String> = []
        var rounds: [[String: JSONValue]] = []
        for round in 1...group.times {
            var inner = scene
            inner.values["round"] = .integer(Int64(round))
            inner.values["previous"] = rounds.last.map(object) ?? .null
            let (values, own) = run(group.steps, "\(path)/\(round)/", inner)
            // What the group waits for, all in it wait for; and a round for the one before.
            for call in own { prerequisites[call, default: []].formUnion(before.union(paths)) }
            paths.formUnion(own)
            guard let values else {
                uncertain.formUnion(paths)
                return (failed(step.policy), paths)
            }
            rounds.append(values)
            if let until = group.until, (values[until.child]?["n"]?.int ?? -1) >= until.least { break }
            if let improves = group.improves, rounds.count - 1 - best(rounds, improves) >= group.patience { break }
        }
        return (object(rounds[group.improves.map { best(rounds, $0) } ?? rounds.count - 1]), paths)
    }

    private func object(_ values: [String: JSONValue]) -> JSONValue { .object(values.map { .init($0.key, $0.value) }) }

    private func best(_ rounds: [[String: JSONValue]], _ child: String) -> Int {
        let scores = rounds.map { $0[child]?["n"]?.int ?? Int.min }
        return scores.firstIndex(of: scores.max() ?? 0) ?? 0
    }

    // MARK: Calls

    private func run(
        _ call: PlainCall, _ step: PlainStep, _ path: String, _ scene: Scene, _ before: Set<String>
    ) -> (JSONValue?, Set<String>) {
        guard let foreach = call.foreach else {
            let (value, paths) = unit(call, step, path, scene, before)
            return (value ?? failed(step.policy), paths)
        }
        let items = scene.value(foreach).array ?? []
        var outputs: [JSONValue] = []
        var paths: Set<String> = []
        var hasFailed = false
        for (index, item) in items.enumerated() {
            var inner = scene
            inner.values["item"] = item
            inner.values["number"] = .integer(Int64(index + 1))
            inner.values["count"] = .integer(Int64(items.count))
            if case .numberIsNot(let number)? = step.when, number == index + 1 { continue }
            let (value, own) = unit(call, step, "\(path)[\(index)]", inner, before)
            paths.formUnion(own)
            if let value {
                outputs.append(value)
            } else {
                switch step.policy {
                case .fail: hasFailed = true
                case .skip: break
                case .fallback(let value): outputs.append(value)
                }
            }
        }
        return (hasFailed ? nil : .array(outputs), paths)
    }

    /// The output of a call or an ensemble; nil where it failed.
    private func unit(
        _ call: PlainCall, _ step: PlainStep, _ path: String, _ scene: Scene, _ before: Set<String>
    ) -> (JSONValue?, Set<String>) {
        let prompt = "p " + step.references.map(scene.text).joined(separator: "|")
        guard let ensemble = call.ensemble else {
            return (ask(path, prompt, call.isJSON, before), [path])
        }
        let members = (0..<ensemble.samples).map { "\(path)~\($0)" }
        let answers = members.map { ask($0, prompt, call.isJSON, before) }
        let good = answers.compactMap(\.self)
        if good.isEmpty { return (nil, Set(members)) }
        switch ensemble.kind {
        case .all: return (.array(answers.map { $0 ?? .null }), Set(members))
        case .vote:
            let counts = good.map { one in good.count { $0 == one } }
            let most = counts.max() ?? 0
            if let wanted = ensemble.confidence, Double(most) / Double(members.count) < wanted { return (nil, Set(members)) }
            return (good[counts.firstIndex(of: most) ?? 0], Set(members))
        case .judge:
            let shown = good.enumerated().map { "\($0.offset + 1):\($0.element.string ?? $0.element.text);" }.joined()
            let judge = path + "~judge"
            let verdict = ask(judge, "j " + shown, true, before.union(members))
            let paths = Set(members + [judge])
            guard let choice = verdict?["choice"]?.int, choice <= good.count else { return (nil, paths) }
            if let wanted = ensemble.confidence, (verdict?["confidence"]?.number ?? 0) < wanted { return (nil, paths) }
            return (good[choice - 1], paths)
        }
    }

    private func ask(_ path: String, _ prompt: String, _ isJSON: Bool, _ before: Set<String>) -> JSONValue? {
        prompts[path] = prompt
        self.isJSON[path] = isJSON
        prerequisites[path, default: []].formUnion(before)
        guard case .completed(let text) = model.answer(path, isJSON: isJSON) else { return nil }
        return isJSON ? try? JSONValue.parse(text) : .string(text)
    }
}

/// A model whose answers depend on the call's path alone.
struct PlainModel {
    var seed: UInt64
    /// Whether some of its calls fail, and some answers are not what was asked for.
    var isFaulty: Bool

    func answer(_ path: String, isJSON: Bool) -> StepEnd.Outcome {
        var hash: UInt64 = 14_695_981_039_346_656_037 ^ seed
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        hash ^= hash >> 29
        if isFaulty, hash % 11 == 0 { return .failed(message: "refused") }
        let number = hash / 11
        if path.hasSuffix("~judge") {
            return .completed(text: #"{"choice":\#(1 + number % 3),"confidence":0.\#(number % 9),"reason":"r"}"#)
        }
        guard isJSON else { return .completed(text: "t\(number % 3)") }
        if isFaulty, number % 17 == 0 { return .completed(text: "oops") }
        let list = (0..<(number / 6 % 4)).map { "\"e\($0)\"" }.joined(separator: ",")
        return .completed(text: #"{"n":\#(number % 6),"l":[\#(list)]}"#)
    }
}
