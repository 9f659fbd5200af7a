import JobModel
import Settings

/// Steps beside each other: names, needs, order.
extension GraphCompiler {
    /// Where steps stand beside each other.
    struct Scope {
        /// What is named outside.
        var outer: Names
        /// The key of the steps: `steps`, `steps.refine.steps`.
        var key: String
        /// The group they are of; nil at the outermost level.
        var group: Step?
        /// How many groups they are in.
        var depth = 0
    }

    /// Checks steps that stand beside each other.
    /// - Returns: them in an order in which each stands behind those it needs, and the names they use of outside.
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
                    report("unknown step \(InvalidText.quoted(need))\(Suggestion.hint(for: need, in: siblings.filter { $0 != step.name }))", at: "\(key).needs")
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

    /// Each behind those it needs; among those that could stand first, in the order of writing.
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

    /// A way from a step back to itself, or from one that it needs.
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

    /// What is known of a step's output.
    func shape(of step: Step) -> Shape {
        switch step.work {
        case .group(let steps, _):
            return .object(Dictionary(steps.map { ($0.name, shape(of: $0)) }) { one, _ in one }, isOpen: false)
        case .call(let call):
            var shape = Self.answerShape(of: call)
            if case .all? = call.ensemble?.combine { shape = .list(shape) }
            return call.foreach == nil ? shape : .list(shape)
        }
    }

    /// What is known of one answer.
    static func answerShape(of call: Call) -> Shape {
        switch call.schema {
        case nil: .text
        case .inline(let schema): Shape(schema: schema)
        case .input: .any
        }
    }
}
