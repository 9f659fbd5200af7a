import AgentQueueModel

/// Writes a pipeline with the keys of its YAML, leaving out what is not set.
struct DefinitionWriter {
    private(set) var members: [JSONValue.Member] = []

    mutating func add(_ key: String, _ value: JSONValue?) {
        if let value { members.append(.init(key, value)) }
    }

    mutating func add(_ role: Role) {
        for option in JobOption.ofRoles { add(option.name, option.write(role.job)) }
        if !role.job.parameters.isEmpty { add("parameters", .object(role.job.parameters)) }
    }

    static func json(of input: PipelineInput) -> JSONValue {
        var writer = DefinitionWriter()
        writer.add("type", .string(input.type.rawValue))
        writer.add("default", input.fallback)
        if !input.summary.isEmpty { writer.add("description", .string(input.summary)) }
        return .object(writer.members)
    }

    static func json(of role: Role) -> JSONValue {
        var writer = DefinitionWriter()
        writer.add(role)
        return .object(writer.members)
    }

    static func json(of steps: [Step]) -> JSONValue { .object(steps.map { .init($0.name, json(of: $0)) }) }

    /// The roles that a step names.
    static func roles(of step: Step) -> [String] {
        switch step.work {
        case .group(let steps, _): return steps.flatMap(roles)
        case .call(let call):
            var roles = [call.role]
            if case .judge(let judge)? = call.ensemble?.combine { roles.append(judge.role) }
            return roles.compactMap(\.self)
        }
    }

    private static func json(of step: Step) -> JSONValue {
        var writer = DefinitionWriter()
        switch step.work {
        case .call(let call): writer.add(call)
        case .group(let steps, let repetition):
            writer.add("repeat", repetition.map(json))
            writer.add("steps", json(of: steps))
        }
        if !step.needs.isEmpty { writer.add("needs", .array(step.needs.map(JSONValue.string))) }
        writer.add("when", step.when.map(JSONValue.string))
        switch step.onFailure {
        case .fail: break
        case .skip: writer.add("on_failure", "skip")
        case .fallback(let value): writer.add("on_failure", ["default": value])
        }
        return .object(writer.members)
    }

    private mutating func add(_ call: Call) {
        add("role", call.role.map(JSONValue.string))
        add(call.asking)
        add("prompt", .string(call.prompt))
        add("foreach", call.foreach.map(Self.json))
        add("ensemble", call.ensemble.map(Self.json))
        switch call.schema {
        case nil: break
        case .inline(let schema): add("schema", schema)
        case .input(let name): add("schema", .string("inputs.\(name)"))
        }
        for option in JobOption.ofSteps where option.name != "role" && !option.places.contains(.role) {
            add(option.name, option.write(call.job))
        }
    }

    private static func json(of foreach: Foreach) -> JSONValue {
        switch foreach.way {
        case .elements: .string(foreach.path)
        case .join(let size): ["in": .string(foreach.path), "join": json(of: size)]
        case .split(let size, let overlap):
            ["in": .string(foreach.path), "split": json(of: size), "overlap": json(of: overlap)]
        }
    }

    private static func json(of ensemble: Ensemble) -> JSONValue {
        var writer = DefinitionWriter()
        switch ensemble.targets {
        case .own: break
        case .names(let names): writer.add("targets", .array(names.map(JSONValue.string)))
        case .path(let path): writer.add("targets", .string(path))
        }
        writer.add("samples", json(of: ensemble.samples))
        switch ensemble.combine {
        case .all: writer.add("combine", "all")
        case .vote(let field):
            writer.add("combine", "vote")
            writer.add("on", field.map(JSONValue.string))
        case .judge(let judge):
            writer.add("combine", "judge")
            writer.add("judge", json(of: judge))
        }
        writer.add("confidence", ensemble.confidence.map(JSONValue.double))
        return .object(writer.members)
    }

    private static func json(of judge: Judge) -> JSONValue {
        var writer = DefinitionWriter()
        writer.add("role", judge.role.map(JSONValue.string))
        writer.add(judge.asking)
        writer.add("prompt", .string(judge.prompt))
        return .object(writer.members)
    }

    private static func json(of amount: Amount) -> JSONValue {
        switch amount {
        case .number(let number): .integer(Int64(number))
        case .input(let name): .string("inputs.\(name)")
        }
    }

    private static func json(of repetition: Repetition) -> JSONValue {
        var writer = DefinitionWriter()
        writer.add("times", json(of: repetition.times))
        writer.add("until", repetition.until.map(JSONValue.string))
        writer.add("improves", repetition.improves.map(JSONValue.string))
        writer.add("patience", json(of: repetition.patience))
        return .object(writer.members)
    }
}
