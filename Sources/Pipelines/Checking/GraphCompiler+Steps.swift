import JobModel
import Settings

/// Single steps.
extension GraphCompiler {
    /// Checks a step.
    /// - Returns: its plan, without its needs, and the outermost names that it uses; nil where it cannot be read.
    mutating func plan(of step: Step, names: Names, key: String, depth: Int) -> (plan: StepPlan, roots: Set<String>)? {
        switch step.work {
        case .call(let call): return plan(of: step, call, names: names, key: key)
        case .group(let steps, let repetition):
            guard depth < PipelineLimits.maxDepth else {
                report("groups nest deeper than \(PipelineLimits.maxDepth)", at: key)
                return nil
            }
            let when = step.when.flatMap { condition($0, names, key: "\(key).when") }
            var (plan, roots) = group(step, steps, repetition, names: names, key: key, depth: depth)
            roots.formUnion(Self.roots(when?.references))
            if case .fallback(let value) = step.onFailure { checkDefault(value, shape(of: step), key: key) }
            return (StepPlan(name: step.name, needs: [], when: when, onFailure: step.onFailure, work: .group(plan)), roots)
        }
    }

    private mutating func group(
        _ step: Step, _ steps: [Step], _ repetition: Repetition?, names: Names, key: String, depth: Int
    ) -> (GroupPlan, Set<String>) {
        if steps.isEmpty { report("has no steps", at: "\(key).steps") }
        var outer = names
        outer.hidden[step.name] = "'\(step.name)' is the group that this step is in (its round before this one is 'previous')"
        outer.shapes["round"] = .scalar
        outer.shapes["previous"] = shape(of: step)
        var (plans, roots) = self.steps(steps, Scope(outer: outer, key: "\(key).steps", group: step, depth: depth + 1))
        var group = GroupPlan(steps: plans, patience: 1)
        if let repetition {
            var inner = outer
            for step in steps { inner.shapes[step.name] = shape(of: step) }
            group.times = repetition.times
            group.until = repetition.until.flatMap { condition($0, inner, key: "\(key).repeat.until") }
            group.improves = repetition.improves.flatMap { path($0, inner, key: "\(key).repeat.improves")?.0 }
            group.patience = repetition.patience
            checkRounds(repetition, key: "\(key).repeat")
            roots.formUnion(Self.roots(group.until?.references))
            roots.formUnion(Self.roots(group.improves.map { [$0] }))
        }
        return (group, roots.subtracting(steps.map(\.name)).subtracting(["round", "previous"]))
    }

    private mutating func checkRounds(_ repetition: Repetition, key: String) {
        check(repetition.patience, in: Repetition.bounds, at: "\(key).patience")
        check(repetition.times, in: Repetition.bounds, at: "\(key).times")
    }

    private mutating func plan(of step: Step, _ call: Call, names: Names, key: String) -> (plan: StepPlan, roots: Set<String>)? {
        var names = names
        var roots: Set<String> = []
        var foreach: ForeachPlan?
        if let each = call.foreach {
            let (plan, item) = self.foreach(each, names, key: "\(key).foreach")
            foreach = plan
            names.shapes["item"] = item
            names.shapes["number"] = .scalar
            names.shapes["count"] = .scalar
            roots.formUnion(Self.roots(plan.map { [$0.reference] }))
        }
        let when = step.when.flatMap { condition($0, names, key: "\(key).when") }
        let asking = asking(call.role, call.asking, names, key: key)
        let question = question(call.prompt, asking, names, key: key)
        let ensemble = call.ensemble.flatMap { self.ensemble($0, of: call, names, key: "\(key).ensemble") }
        checkCall(call, key: key)
        if case .fallback(let value) = step.onFailure { checkDefault(value, Self.itemShape(of: call), key: key) }
        guard let question else { return nil }
        for references in [question.references, when?.references, ensemble?.references] { roots.formUnion(Self.roots(references)) }
        roots.subtract(["item", "number", "count", "round", "previous", "inputs"])
        var plan = StepPlan(
            name: step.name, needs: [], when: when, onFailure: step.onFailure,
            work: .call(CallPlan(call: call, question: question, foreach: foreach, ensemble: ensemble)))
        plan.isWhenOfItems = foreach != nil && when?.references.contains { ["item", "number", "count"].contains($0.root) } == true
        return (plan, roots)
    }

    /// What is known of the output of one item.
    private static func itemShape(of call: Call) -> Shape {
        let shape = answerShape(of: call)
        if case .all? = call.ensemble?.combine { return .list(shape) }
        return shape
    }

    /// A default stands where an output would: what uses fields of that must find them.
    private mutating func checkDefault(_ value: JSONValue, _ shape: Shape, key: String) {
        switch (shape, value) {
        case (.text, .string), (.any, _), (_, .null), (.list, .array), (.object, .object): return
        case (.scalar, .bool), (.scalar, .integer), (.scalar, .double), (.scalar, .digits): return
        case (.text, _): report("is \(value.kindName), and the step's output is a text", at: "\(key).on_failure.default")
        default: report("is \(value.kindName), and the step's schema asks for something else", at: "\(key).on_failure.default")
        }
    }

    static func roots(_ references: [Reference]?) -> Set<String> { Set((references ?? []).map(\.root)) }

    mutating func check(_ number: Int, in bounds: ClosedRange<Int>, at key: String) {
        guard !bounds.contains(number) else { return }
        report("\(number) is out of range (\(bounds.lowerBound) to \(bounds.upperBound))", at: key)
    }

    mutating func check(_ amount: Amount, in bounds: ClosedRange<Int>, at key: String) {
        switch amount {
        case .number(let number): check(number, in: bounds, at: key)
        case .input(let name):
            guard let input = inputs[name] else { return unknownInput(name, at: key) }
            usedInputs.insert(name)
            guard input.type == .integer else { return report("inputs.\(name) is of type \(input.type), not integer", at: key) }
            // Bounds of one kind of amount are the same everywhere, and all of them begin in each other.
            let both = amounts[name].map { $0.clamped(to: bounds) } ?? bounds
            amounts[name] = both
            if let number = input.fallback?.int { check(number, in: both, at: "inputs.\(name).default") }
        }
    }

    mutating func unknownInput(_ name: String, at key: String) {
        report("unknown input \(InvalidText.quoted(name))\(Suggestion.hint(for: name, in: source.inputs.map(\.name)))", at: key)
    }
}
