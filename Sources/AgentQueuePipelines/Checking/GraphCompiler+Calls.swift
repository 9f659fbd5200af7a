import AgentQueueModel
import AgentQueueSettings

/// Checking calls.
extension GraphCompiler {
    /// How a step or a judge asks, with its role applied, and the keys that the two texts are from.
    struct Asking {
        var said: Role
        var systemKey: String
        var modelKey: String
    }

    mutating func asking(_ name: String?, _ own: Role, _ names: Names, key: String) -> Asking {
        checkAsking(own, key: key)
        guard let name else { return Asking(said: own, systemKey: "\(key).system", modelKey: "\(key).model") }
        guard let role = roles[name] else {
            report("unknown role \(InvalidText.quoted(name))\(Suggestion.hint(for: name, in: source.roles.map(\.name)))", at: "\(key).role")
            return Asking(said: own, systemKey: "\(key).system", modelKey: "\(key).model")
        }
        return Asking(
            said: role.overridden(by: own), systemKey: own.job.system == nil ? "roles.\(name).system" : "\(key).system",
            modelKey: own.job.model == nil ? "roles.\(name).model" : "\(key).model")
    }

    mutating func question(_ prompt: String, _ asking: Asking, _ names: Names, key: String) -> QuestionPlan? {
        if prompt.allSatisfy(\.isWhitespace) { report("is empty", at: "\(key).prompt") }
        let system = asking.said.job.system.flatMap { template($0, names, key: asking.systemKey) }
        let model = asking.said.job.model.flatMap { target($0, key: asking.modelKey) }
        return template(prompt, names, key: "\(key).prompt").map {
            QuestionPlan(prompt: $0, system: system, model: model, options: asking.said)
        }
    }

    /// A target, which may be made from inputs.
    mutating func target(_ text: String, key: String) -> PromptTemplate? {
        guard let template = template(text, inputNames, key: key) else { return nil }
        if template.references.isEmpty {
            do {
                if let fault = checks.targetFault(try TargetName(text)) { report(fault, at: key) }
            } catch {
                report(error.message, at: key)
            }
        }
        return template
    }

    mutating func checkAsking(_ asking: Role, key: String) {
        for option in JobOption.ofRoles { check(option, asking.job, key: key) }
        let own = ["model", "messages", "max_tokens", "temperature", "response_format", "sample", "recall", "remember", "stream", "n"]
        for parameter in asking.job.parameters where own.contains(parameter.key) {
            report("is not set here", at: "\(key).parameters.\(parameter.key)")
        }
    }

    private mutating func check(_ option: JobOption, _ job: JobDraft, key: String) {
        do {
            try option.check(job)
        } catch {
            report(error.inYAML, at: "\(key).\(option.name)")
        }
    }

    mutating func foreach(_ foreach: Foreach, _ names: Names, key: String) -> (ForeachPlan?, item: Shape) {
        switch foreach.way {
        case .elements: break
        case .join(let size): check(size, in: Foreach.sizes, at: "\(key).join")
        case .split(let size, let overlap):
            check(size, in: Foreach.sizes, at: "\(key).split")
            // With an overlap of more than half, pieces would make too little progress.
            var most = Foreach.sizes.upperBound / 2
            if case .number(let size) = size { most = max(0, size / 2) }
            check(overlap, in: 0...most, at: "\(key).overlap")
        }
        guard let (reference, shape) = path(foreach.path, names, key: key) else { return (nil, .any) }
        let plan = ForeachPlan(reference: reference, way: foreach.way)
        guard foreach.way == .elements else {
            if case .scalar = shape { report("'\(foreach.path)' is neither a text nor a list", at: key) }
            return (plan, .text)
        }
        switch shape {
        case .any, .list: break
        case .text: report("'\(foreach.path)' is a text, not a list (give its step a schema, or split it: { in: …, split: 6000 })", at: key)
        case .scalar, .object: report("'\(foreach.path)' is not a list", at: key)
        }
        return (plan, shape.element)
    }

    mutating func ensemble(_ ensemble: Ensemble, of call: Call, _ names: Names, key: String) -> EnsemblePlan? {
        check(ensemble.samples, in: 1...Ensemble.maxMembers, at: "\(key).samples")
        if let confidence = ensemble.confidence, !(0...1).contains(confidence) {
            report("\(confidence) is out of range (0 to 1)", at: "\(key).confidence")
        }
        guard let targets = targets(ensemble, key: key) else { return nil }
        let answer = Self.answerShape(of: call)
        var plan = EnsemblePlan(targets: targets, samples: ensemble.samples, combine: .all, confidence: ensemble.confidence)
        switch ensemble.combine {
        case .all:
            if ensemble.confidence != nil { report("goes with combine: vote or combine: judge", at: "\(key).confidence") }
        case .vote(let field):
            let path = field.flatMap { fields($0, key: "\(key).on") } ?? []
            do {
                _ = try answer.following(path, of: "the output")
            } catch {
                report(error.message, at: "\(key).on")
            }
            plan.combine = .vote(on: path)
        case .judge(let judge):
            var names = names
            names.shapes["answers"] = .list(.object(["number": .scalar, "output": answer, "target": .text], isOpen: false))
            let asking = asking(judge.role, judge.asking, names, key: "\(key).judge")
            guard let question = question(judge.prompt, asking, names, key: "\(key).judge") else { return nil }
            plan.combine = .judge(question)
        }
        return plan
    }

    private mutating func targets(_ ensemble: Ensemble, key: String) -> EnsemblePlan.Targets? {
        switch ensemble.targets {
        case .own: return .own
        case .path(let text):
            guard let (reference, shape) = path(text, inputNames, key: "\(key).targets") else { return nil }
            switch shape {
            case .list, .any: return .path(reference)
            default: report("'\(text)' is not a list", at: "\(key).targets")
            }
            return nil
        case .names(let names):
            var most = Ensemble.maxMembers
            if case .number(let samples) = ensemble.samples { most /= max(1, samples) }
            check(names.count, in: 1...max(1, most), at: "\(key).targets")
            return .names(names.enumerated().compactMap { target($0.element, key: "\(key).targets[\($0.offset)]") })
        }
    }

    mutating func checkCall(_ call: Call, key: String) {
        // What a role may have too was checked with the role.
        for option in JobOption.ofSteps where !option.places.contains(.role) { check(option, call.job, key: key) }
        switch call.schema {
        case nil: break
        case .inline(let schema): checkSchema(schema, key: "\(key).schema")
        case .input(let name):
            guard let input = inputs[name] else { return unknownInput(name, at: "\(key).schema") }
            usedInputs.insert(name)
            if input.type != .object, !unread.contains(name) {
                report("inputs.\(name) is of type \(input.type), not object", at: "\(key).schema")
            }
        }
    }

    private mutating func checkSchema(_ schema: JSONValue, key: String) {
        let schema = GivenSchema.unwrapped(schema)
        guard schema.members != nil else { return report("must be an object, not \(schema.kindName)", at: key) }
        do {
            try GivenSchema.compile(schema)
        } catch {
            report("is not a JSON Schema: \(error)", at: key)
        }
    }
}
