import JobModel
import Settings

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
        let said = role("", fields, key)
        guard let prompt = fields["prompt"].flatMap({ text($0, "\(key).prompt") }) else {
            if fields["prompt"] == nil { report("is missing", at: "\(key).prompt") }
            return nil
        }
        return Judge(
            role: fields["role"].flatMap { text($0, "\(key).role") }, system: said.system, prompt: prompt, model: said.model,
            temperature: said.temperature, maxTokens: said.maxTokens, parameters: said.parameters)
    }
}
