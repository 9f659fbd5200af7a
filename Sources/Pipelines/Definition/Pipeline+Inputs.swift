import JobModel
import Settings

extension Pipeline {
    /// Inputs as a run keeps them: of their types, defaults filled in.
    /// - Throws: `PipelineError`, in a sentence, where one is missing, unknown, or of another type.
    public func checked(inputs given: JSONValue) throws(PipelineError) -> JSONValue {
        guard let members = given.members else {
            throw PipelineError(key: "inputs", message: "must be an object, not \(given.kindName)")
        }
        for member in members where !inputs.contains(where: { $0.name == member.key }) {
            let hint = Suggestion.hint(for: member.key, in: inputs.map(\.name))
            throw PipelineError(key: "inputs", message: "'\(name)' has no input \(InvalidText.quoted(member.key))\(hint)")
        }
        var checked: [JSONValue.Member] = []
        for input in inputs { checked.append(.init(input.name, try value(of: input, in: given))) }
        let all = JSONValue.object(checked)
        guard all.utf8(sorted: false).count <= JobLimits.maxRequestBytes else {
            throw PipelineError(key: "inputs", message: "are larger than 24 MiB together")
        }
        return all
    }

    private func value(of input: PipelineInput, in given: JSONValue) throws(PipelineError) -> JSONValue {
        let key = "inputs.\(input.name)"
        guard let value = given[input.name] ?? input.fallback else {
            let summary = input.summary.isEmpty ? "" : " (\(input.summary))"
            throw PipelineError(key: key, message: "is missing\(summary)")
        }
        if let problem = input.problem(with: value) { throw PipelineError(key: key, message: problem) }
        if let bounds = graph.amounts[input.name], let number = value.int, !bounds.contains(number) {
            throw PipelineError(key: key, message: "\(number) is out of range (\(bounds.lowerBound) to \(bounds.upperBound))")
        }
        return value
    }
}
