import AgentQueueModel
import AgentQueueSettings

/// Single steps.
extension GraphCompiler {
    /// Checks a step.
    /// - Returns: its plan, without its needs, and the outermost names that it uses; nil if it has faults that make this impossible.
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
        if case .fallback(let value) = step.onFailure, !unread.contains(step.name) {
            checkDefault(value, Self.itemShape(of: call), key: key)
        }
        guard let question else { return nil }
        for references in [question.references, when?.references, ensemble?.references] { roots.formUnion(Self.roots(references)) }
        roots.subtract(["item", "number", "count", "round", "previous", "inputs"])
        var plan = StepPlan(
            name: step.name, needs: [], when: when, onFailure: step.onFailure,
            work: .call(CallPlan(call: call, question: question, foreach: foreach, ensemble: ensemble)))
        plan.isWhenOfItems = foreach != nil && when?.references.contains { ["item", "number", "count"].contains($0.root) } == true
        return (plan, roots)
    }

    /// The shape of one item's output.
    private static func itemShape(of call: Call) -> Shape {
        let shape = answerShape(of: call)
        if case .all? = call.ensemble?.combine { return .list(shape) }
        return shape
    }

    /// A default takes the place of the output, so it must have the fields that are used.
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
            guard input.type == .integer || unread.contains(name) else {
                return report("inputs.\(name) is of type \(input.type), not integer", at: key)
            }
            // All bounds of amounts overlap, so a value remains possible for an input that is used for several of them.
            let both = amounts[name].map { $0.clamped(to: bounds) } ?? bounds
            amounts[name] = both
            if let number = input.fallback?.int { check(number, in: both, at: "inputs.\(name).default") }
        }
    }

    mutating func unknownInput(_ name: String, at key: String) {
        report("unknown input \(InvalidText.quoted(name))\(Suggestion.hint(for: name, in: source.inputs.map(\.name)))", at: key)
    }
}

/// Steps at one level: names, needs and order.
extension GraphCompiler {
    /// The level at which steps stand.
    struct Scope {
        /// The names that are visible outside.
        var outer: Names
        /// The key of the steps: `steps`, `steps.refine.steps`.
        var key: String
        /// The group that they belong to; nil at the outermost level.
        var group: Step?
        /// How many groups contain them.
        var depth = 0
    }

    /// Checks the steps at one level.
    /// - Returns: their plans, each after those that it needs, and the outer names that they use.
    mutating func steps(_ steps: [Step], _ scope: Scope) -> (plans: [StepPlan], outerNames: Set<String>) {
        checkNames(of: steps, scope)
        var names = scope.outer
        for step in steps {
            names.shapes[step.name] = shape(of: step)
            names.hidden[step.name] = nil
        }
        let siblings = steps.map(\.name)
        var plans: [StepPlan] = []
        var outerNames: Set<String> = []
        for step in steps {
            var own = names
            own.shapes[step.name] = nil
            own.hidden[step.name] = "'\(step.name)' cannot use its own output"
            let key = "\(scope.key).\(step.name)"
            guard var (plan, roots) = plan(of: step, names: own, key: key, depth: scope.depth) else { continue }
            for need in step.needs where !roots.contains(need) {
                if need == step.name {
                    report("a step cannot wait for itself", at: "\(key).needs")
                } else if siblings.contains(need) {
                    roots.insert(need)
                } else {
                    report(
                        "unknown step \(InvalidText.quoted(need))\(Suggestion.hint(for: need, in: siblings.filter { $0 != step.name }))",
                        at: "\(key).needs")
                }
            }
            plan.needs = siblings.filter { roots.contains($0) && $0 != step.name }
            outerNames.formUnion(roots.subtracting(siblings))
            plans.append(plan)
        }
        return (ordered(plans, scope), outerNames)
    }

    private mutating func checkNames(of steps: [Step], _ scope: Scope) {
        for (place, step) in steps.enumerated() {
            let key = "\(scope.key).\(step.name)"
            if !NameText.isField(step.name) {
                report("is not a name for a step (\(Self.fieldRule))", at: key)
            } else if NameText.reserved.contains(step.name) || NameText.words.contains(step.name.lowercased()) {
                report("'\(step.name)' means something else in templates and conditions (choose another name)", at: key)
            } else if steps[..<place].contains(where: { $0.name == step.name }) {
                report("stands twice", at: key)
            } else if scope.outer.shapes[step.name] != nil || scope.group?.name == step.name {
                report("a step outside its group has this name too (choose another)", at: key)
            }
        }
    }

    /// Sorts steps so that each comes after those that it needs, and otherwise in the order in which they were written.
    private mutating func ordered(_ plans: [StepPlan], _ scope: Scope) -> [StepPlan] {
        var ordered: [StepPlan] = []
        var rest = plans
        var placed: Set<String> = []
        let known = Set(plans.map(\.name))
        while let place = rest.firstIndex(where: { $0.needs.allSatisfy { placed.contains($0) || !known.contains($0) } }) {
            let plan = rest.remove(at: place)
            placed.insert(plan.name)
            ordered.append(plan)
        }
        if let first = rest.first {
            let cycle = Self.cycle(from: first.name, in: rest)
            report("steps wait for each other: \(cycle.joined(separator: " needs "))", at: "\(scope.key).\(cycle[0])")
        }
        return ordered
    }

    /// A cycle: a path from a step back to itself, or to a step that it needs.
    private static func cycle(from name: String, in plans: [StepPlan]) -> [String] {
        var way = [name]
        while true {
            let needs = plans.first { $0.name == way[way.count - 1] }?.needs ?? []
            guard let next = needs.first(where: { need in plans.contains { $0.name == need } }) else { return way }
            if let start = way.firstIndex(of: next) { return Array(way[start...]) + [next] }
            way.append(next)
        }
    }

    // MARK: Shapes

    /// The shape of a step's output.
    func shape(of step: Step) -> Shape {
        if unread.contains(step.name) { return .any }
        return switch step.work {
        case .group(let steps, _):
            .object(Dictionary(steps.map { ($0.name, shape(of: $0)) }) { one, _ in one }, isOpen: false)
        case .call(let call): call.foreach == nil ? Self.itemShape(of: call) : .list(Self.itemShape(of: call))
        }
    }

    /// The shape of one answer.
    static func answerShape(of call: Call) -> Shape {
        switch call.schema {
        case nil: .text
        case .inline(let schema): Shape(schema: GivenSchema.unwrapped(schema))
        case .input: .any
        }
    }
}
