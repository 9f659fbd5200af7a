import AgentQueueModel
import AgentQueueSettings

/// Reading steps.
extension DefinitionReader {
    private static let groupKeys = ["repeat", "steps", "needs", "when", "on_failure"]
    private static let callKeys =
        ["prompt", "parameters", "needs", "foreach", "ensemble", "when", "schema", "on_failure"] + JobOption.ofSteps.map(\.name)

    mutating func step(_ name: String, _ node: DefinitionNode, _ key: String) -> Step? {
        let isGroup = node.pairs?.contains { $0.key == "steps" || $0.key == "repeat" } == true
        guard let fields = fields(of: node, at: key, known: isGroup ? Self.groupKeys : Self.callKeys) else { return nil }
        let work = isGroup ? group(fields, key) : call(fields, key).map { Step.Work.call($0) }
        let needs = fields["needs"].flatMap { texts($0, "\(key).needs") } ?? []
        let when = fields["when"].flatMap { text($0, "\(key).when") }
        let policy = fields["on_failure"].flatMap { failurePolicy($0, "\(key).on_failure") } ?? .fail
        return work.map { Step(name, needs: needs, when: when, onFailure: policy, work: $0) }
    }

    private mutating func group(_ fields: [String: DefinitionNode], _ key: String) -> Step.Work? {
        let repetition = fields["repeat"].flatMap { self.repetition($0, "\(key).repeat") }
        guard let node = fields["steps"] else {
            report("is missing", at: "\(key).steps")
            return nil
        }
        return .group(named(node, "\(key).steps") { $0.step($1, $2, $3) ?? Self.unreadStep($1) }, repetition)
    }

    private mutating func repetition(_ node: DefinitionNode, _ key: String) -> Repetition? {
        guard let fields = fields(of: node, at: key, known: ["times", "until", "improves", "patience"]) else { return nil }
        guard let times = fields["times"] else {
            report("is missing (a number of rounds, or an input such as inputs.rounds)", at: "\(key).times")
            return nil
        }
        let number = amount(times, "\(key).times")
        let until = fields["until"].flatMap { text($0, "\(key).until") }
        let improves = fields["improves"].flatMap { text($0, "\(key).improves") }
        let patience = fields["patience"].flatMap { amount($0, "\(key).patience") } ?? 1
        return number.map { Repetition($0, until: until, improves: improves, patience: patience) }
    }

    private mutating func failurePolicy(_ node: DefinitionNode, _ key: String) -> FailurePolicy? {
        switch node.text {
        case "fail": return .fail
        case "skip": return .skip
        case nil:
            guard node.pairs != nil else { break }
            guard let fields = fields(of: node, at: key, known: ["default"]) else { return nil }
            return fields["default"].map { .fallback($0.json) }
        default: break
        }
        report("expected fail, skip or { default: VALUE }", at: key, line: node.line)
        return nil
    }

    private mutating func call(_ fields: [String: DefinitionNode], _ key: String) -> Call? {
        guard let prompt = fields["prompt"] else {
            // If a key was mistyped, that is the only fault to report.
            if !faults.contains(where: { $0.key == key }) { report("is missing", at: "\(key).prompt") }
            return nil
        }
        guard let prompt = text(prompt, "\(key).prompt") else { return nil }
        var call = Call(prompt: prompt)
        for option in JobOption.ofSteps { read(option, fields, key, into: &call.job) }
        call.parameters = fields["parameters"].flatMap { object($0, "\(key).parameters") } ?? []
        call.foreach = fields["foreach"].flatMap { foreach($0, "\(key).foreach") }
        call.ensemble = fields["ensemble"].flatMap { ensemble($0, "\(key).ensemble") }
        call.schema = fields["schema"].flatMap { schema($0, "\(key).schema") }
        return call
    }

    private mutating func foreach(_ node: DefinitionNode, _ key: String) -> Foreach? {
        if let path = node.text { return Foreach(path) }
        guard let fields = fields(of: node, at: key, known: ["in", "split", "overlap", "join"]) else { return nil }
        guard let path = fields["in"].flatMap({ text($0, "\(key).in") }) else {
            report("is missing", at: "\(key).in")
            return nil
        }
        let overlap = fields["overlap"].flatMap { amount($0, "\(key).overlap") }
        let split = fields["split"].flatMap { amount($0, "\(key).split") }
        let join = fields["join"].flatMap { amount($0, "\(key).join") }
        guard split == nil || join == nil else {
            report("split and join exclude each other", at: key)
            return nil
        }
        guard overlap == nil || split != nil else {
            report("goes with split", at: "\(key).overlap")
            return nil
        }
        if let split { return Foreach(path, .split(split, overlap: overlap ?? 0)) }
        return Foreach(path, join.map(Foreach.Way.join) ?? .elements)
    }

    private mutating func schema(_ node: DefinitionNode, _ key: String) -> SchemaSource? {
        guard let text = node.text else {
            if node.pairs != nil { return .inline(GivenSchema.unwrapped(node.json)) }
            report("expected a schema, a file's name that ends in .json, or an input such as inputs.schema", at: key, line: node.line)
            return nil
        }
        if text.hasPrefix("inputs.") { return .input(String(text.dropFirst("inputs.".count))) }
        guard text.hasSuffix(".json") else {
            report(
                "\(InvalidText.quoted(text)) is neither a file's name that ends in .json nor an input such as inputs.schema", at: key,
                line: node.line)
            return nil
        }
        return schemaFile(text, key)
    }

    private mutating func schemaFile(_ name: String, _ key: String) -> SchemaSource? {
        let bare = name.hasPrefix("./") ? String(name.dropFirst(2)) : name
        let file = bare.hasPrefix("/") || folder == "." ? bare : "\(folder)/\(bare)"
        let contents: FileContents?
        do {
            contents = try files.read(file)
        } catch {
            report("\(InvalidText.quoted(file)) \(error.message)", at: key)
            return nil
        }
        guard let contents else {
            report("there is no file \(InvalidText.quoted(file))", at: key)
            return nil
        }
        do {
            return .inline(GivenSchema.unwrapped(try JSONValue.parse(contents.text)))
        } catch {
            report("\(InvalidText.quoted(file)) is \(error.description)", at: key)
            return nil
        }
    }
}

extension DefinitionReader {
    private enum CombinationName: String, CaseIterable {
        case all, vote, judge
    }

    private static let ensembleKeys = ["targets", "samples", "combine", "on", "judge", "confidence"]

    mutating func ensemble(_ node: DefinitionNode, _ key: String) -> Ensemble? {
        guard let fields = fields(of: node, at: key, known: Self.ensembleKeys) else { return nil }
        let samples = fields["samples"].flatMap { amount($0, "\(key).samples") } ?? 1
        let confidence = fields["confidence"].flatMap { number($0, "\(key).confidence") }
        var targets = Ensemble.Targets.own
        if let node = fields["targets"] {
            if let path = node.text {
                targets = .path(path)
            } else {
                targets = .names(texts(node, "\(key).targets") ?? [])
            }
        }
        guard let combine = combination(fields, key) else { return nil }
        return Ensemble(targets, samples: samples, combine: combine, confidence: confidence)
    }

    private mutating func combination(_ fields: [String: DefinitionNode], _ key: String) -> Ensemble.Combination? {
        guard let node = fields["combine"] else {
            report("is missing (all, vote or judge)", at: "\(key).combine")
            return nil
        }
        guard let name = word(node, "\(key).combine", of: CombinationName.self) else { return nil }
        if name != .vote, fields["on"] != nil { report("goes with combine: vote", at: "\(key).on") }
        if name != .judge, fields["judge"] != nil { report("goes with combine: judge", at: "\(key).judge") }
        switch name {
        case .all: return .all
        case .vote: return .vote(on: fields["on"].flatMap { text($0, "\(key).on") })
        case .judge:
            guard let node = fields["judge"] else {
                report("is missing (the call that chooses)", at: "\(key).judge")
                return nil
            }
            return judge(node, "\(key).judge").map(Ensemble.Combination.judge)
        }
    }

    private mutating func judge(_ node: DefinitionNode, _ key: String) -> Judge? {
        guard let fields = fields(of: node, at: key, known: ["role", "prompt"] + Self.roleKeys) else { return nil }
        guard let prompt = fields["prompt"].flatMap({ text($0, "\(key).prompt") }) else {
            if fields["prompt"] == nil { report("is missing", at: "\(key).prompt") }
            return nil
        }
        return Judge(role: fields["role"].flatMap { text($0, "\(key).role") }, prompt: prompt, asking: role("", fields, key))
    }
}
