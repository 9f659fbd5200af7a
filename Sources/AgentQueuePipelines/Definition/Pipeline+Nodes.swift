import AgentQueueModel

extension Pipeline {
    /// The graph for drawing, with the steps as they are written.
    package var nodes: [StepNode] { Self.nodes(of: source.steps, graph.steps) }

    private static func nodes(of steps: [Step], _ plans: [StepPlan]) -> [StepNode] {
        steps.map { step in
            let plan = plans.first { $0.name == step.name }
            var node = StepNode(name: step.name, role: nil, needs: plan?.needs ?? [], condition: step.when)
            switch (step.work, plan?.work) {
            case (.call(let call), _):
                node.role = call.role
                let manners = [call.foreach.map(manner), call.ensemble.map(manner)].compactMap(\.self)
                node.manner = manners.isEmpty ? nil : manners.joined(separator: ", ")
            case (.group(let steps, let repetition), .group(let plan)):
                node.children = nodes(of: steps, plan.steps)
                node.manner = repetition.map(manner)
            default: break
            }
            return node
        }
    }

    private static func manner(of foreach: Foreach) -> String {
        switch foreach.way {
        case .elements: "for each of \(foreach.path)"
        case .split(let size, _): "for each piece of \(foreach.path), \(text(of: size)) characters"
        case .join(let size): "for \(foreach.path), \(text(of: size)) characters together"
        }
    }

    private static func manner(of ensemble: Ensemble) -> String {
        var parts: [String] = []
        switch ensemble.targets {
        case .own: break
        case .names(let names): parts.append("\(names.count) targets")
        case .path(let path): parts.append("targets of \(path)")
        }
        if ensemble.samples != 1 || parts.isEmpty { parts.append("\(text(of: ensemble.samples)) samples") }
        switch ensemble.combine {
        case .all: parts.append("all")
        case .vote: parts.append("vote")
        case .judge: parts.append("judge")
        }
        return parts.joined(separator: ", ")
    }

    private static func text(of amount: Amount) -> String {
        switch amount {
        case .number(let number): "\(number)"
        case .input(let name): "inputs.\(name)"
        }
    }

    private static func manner(of repetition: Repetition) -> String {
        repetition.times == 1 ? "once" : "up to \(text(of: repetition.times)) times"
    }
}

/// A step for drawing.
package struct StepNode: Sendable, Equatable {
    /// Its name, which is the first part of its calls' paths, after that of its group.
    package var name: String
    /// Its role; nil for a group.
    package var role: String?
    /// The steps at its level that it waits for: those it names, and those whose outputs it uses.
    package var needs: [String]
    /// What it does besides a single call, in a few words: `for each of plan.parts`, `3 samples, vote`, `up to 5 times`; nil for nothing
    /// else.
    package var manner: String?
    /// Its condition, as written.
    package var condition: String?
    /// The steps of a group.
    package var children: [StepNode]

    /// Makes a node.
    package init(name: String, role: String?, needs: [String], manner: String? = nil, condition: String? = nil, children: [StepNode] = []) {
        self.name = name
        self.role = role
        self.needs = needs
        self.manner = manner
        self.condition = condition
        self.children = children
    }
}
