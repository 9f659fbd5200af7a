import AgentQueueModel
import AgentQueueSettings

/// Checks a pipeline, and parses its templates and conditions. All faults are collected, each with the key that it is about.
struct GraphCompiler {
    /// Something that is wrong.
    struct Fault {
        var key: String
        var message: String
        /// The line within the key's text.
        var textLine: Int?
    }

    let source: PipelineSource
    let checks: PipelineChecks
    /// The names of steps, inputs and roles that could not be read whole: nothing is concluded from what they lack.
    let unread: Set<String>
    let inputs: [String: PipelineInput]
    let roles: [String: Role]
    /// The names of steps in groups, with the group's path, for the message if one is named from outside.
    var homes: [String: String] = [:]
    var usedInputs: Set<String> = []
    var amounts: [String: ClosedRange<Int>] = [:]
    var stepCount = 0
    private(set) var faults: [Fault] = []

    init(_ source: PipelineSource, checks: PipelineChecks = .none, unread: Set<String> = []) {
        self.source = source
        self.checks = checks
        self.unread = unread
        inputs = Dictionary(source.inputs.map { ($0.name, $0) }) { one, _ in one }
        roles = Dictionary(source.roles.map { ($0.name, $0) }) { one, _ in one }
    }

    /// The graph, which may be used only if there are no ``faults``.
    mutating func graph() -> Graph {
        checkHead()
        for step in source.steps { noteHomes(of: step, in: nil) }
        var graph = Graph()
        let names = outerNames
        graph.model = source.model.flatMap { target($0, key: "model") }
        guard !source.steps.isEmpty else {
            report("has no steps", at: "steps")
            return graph
        }
        graph.steps = steps(source.steps, Scope(outer: names, key: "steps", group: nil)).plans
        if let output = source.output {
            var all = names
            for step in source.steps { all.shapes[step.name] = shape(of: step) }
            graph.output = template(output, all, key: "output")
        }
        checkUse()
        graph.amounts = amounts
        return graph
    }

    mutating func report(_ message: String, at key: String, textLine: Int? = nil) {
        faults.append(Fault(key: key, message: message, textLine: textLine))
    }

    /// The names at the outermost level besides steps.
    private var outerNames: Names {
        var names = Names()
        names.shapes["inputs"] = .object(inputs.mapValues { unread.contains($0.name) ? .any : Shape($0.type) }, isOpen: false)
        for name in ["item", "number", "count"] { names.hidden[name] = "'\(name)' is known only in a step with foreach" }
        for name in ["round", "previous"] { names.hidden[name] = "'\(name)' is known only in a group" }
        names.hidden["answers"] = "'answers' is known only to a judge"
        for (name, group) in homes { names.hidden[name] = "'\(name)' is a step of the group '\(group)' (write \(group).\(name))" }
        return names
    }

    /// The names that targets may use.
    var inputNames: Names {
        var names = Names()
        names.shapes["inputs"] = outerNames.shapes["inputs"]
        for step in source.steps { names.hidden[step.name] = "a target is made of inputs alone" }
        return names
    }

    private mutating func noteHomes(of step: Step, in group: String?) {
        stepCount += 1
        if let group { homes[step.name] = homes[step.name] ?? group }
        guard case .group(let steps, _) = step.work else { return }
        let path = group.map { "\($0).\(step.name)" } ?? step.name
        for inner in steps { noteHomes(of: inner, in: path) }
    }

    // MARK: Head

    private mutating func checkHead() {
        let rule = "(1 to \(PipelineLimits.maxNameBytes) letters, digits, _ and -)"
        if !NameText.isName(source.name) { report("\(InvalidText.quoted(source.name)) is not a name \(rule)", at: "name") }
        if source.inputs.count > PipelineLimits.maxInputs { report("has more than \(PipelineLimits.maxInputs) inputs", at: "inputs") }
        for (place, input) in source.inputs.enumerated() {
            let key = "inputs.\(input.name)"
            if !NameText.isField(input.name) { report("is not a name for an input (\(Self.fieldRule))", at: key) }
            if source.inputs[..<place].contains(where: { $0.name == input.name }) { report("stands twice", at: key) }
            guard let fallback = input.fallback, let problem = input.problem(with: fallback) else { continue }
            report(problem, at: "\(key).default")
        }
        for (place, role) in source.roles.enumerated() {
            if !NameText.isName(role.name) { report("is not a name for a role \(rule)", at: "roles.\(role.name)") }
            if source.roles[..<place].contains(where: { $0.name == role.name }) { report("stands twice", at: "roles.\(role.name)") }
            checkAsking(role, key: "roles.\(role.name)")
        }
    }

    static let fieldRule = "1 to \(PipelineLimits.maxNameBytes) letters, digits, _ and -, the first a letter or _"

    private mutating func checkUse() {
        if stepCount > PipelineLimits.maxSteps { report("has more than \(PipelineLimits.maxSteps) steps", at: "steps") }
        // If a step could not be read, it is not known what it uses.
        guard faults.isEmpty, unread.isEmpty else { return }
        for input in source.inputs where !usedInputs.contains(input.name) {
            report("is used by no step", at: "inputs.\(input.name)")
        }
    }
}

/// Templates, conditions and paths.
extension GraphCompiler {
    mutating func template(_ text: String, _ names: Names, key: String) -> PromptTemplate? {
        var compiler = TemplateCompiler(names, findsForeignTags: checks.findsForeignTags)
        let template = compiler.template(text)
        let hasLines = text.utf8.contains(UInt8(ascii: "\n"))
        for fault in compiler.faults { report(fault.message, at: key, textLine: hasLines ? fault.line : nil) }
        noteInputs(template?.references)
        return template
    }

    mutating func condition(_ text: String, _ names: Names, key: String) -> Condition? {
        let condition: Condition
        do {
            condition = Condition(try Expression.parse(text))
        } catch {
            report("\(InvalidText.quoted(text)) is not a condition: \(error)", at: key)
            return nil
        }
        for reference in condition.references {
            do {
                _ = try names.shape(at: reference.path)
            } catch {
                report(error.message, at: key)
            }
        }
        noteInputs(condition.references)
        return condition
    }

    /// A single path, and the shape of its value.
    mutating func path(_ text: String, _ names: Names, key: String) -> (Reference, Shape)? {
        guard let path = fields(text, key: key) else { return nil }
        do {
            let shape = try names.shape(at: path)
            let reference = Reference(path: path)
            noteInputs([reference])
            return (reference, shape)
        } catch {
            report(error.message, at: key)
            return nil
        }
    }

    /// Splits a path into its parts.
    mutating func fields(_ text: String, key: String) -> [Expression.Step]? {
        var reason = ""
        do {
            if case .field(let path) = try Expression.parse(text), !path.isEmpty { return path }
        } catch {
            reason = ": \(error)"
        }
        report("\(InvalidText.quoted(text)) is not a path (write one such as plan.parts)\(reason)", at: key)
        return nil
    }

    private mutating func noteInputs(_ references: [Reference]?) {
        for reference in references ?? [] where reference.root == "inputs" {
            if let name = reference.field { usedInputs.insert(name) }
        }
    }
}
