import AgentQueueModel
import AgentQueueSettings

/// An input of a pipeline.
public struct PipelineInput: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// Its type.
    package var type: Kind
    /// Its default; nil if it must be given.
    package var fallback: JSONValue?
    /// A one-sentence description.
    package var summary: String

    /// The type of an input.
    public enum Kind: String, Sendable, CaseIterable {
        case text, integer, number, boolean, list, object
    }

    /// Makes an input.
    public init(_ name: String, _ type: Kind = .text, default fallback: JSONValue? = nil, summary: String = "") {
        self.name = name
        self.type = type
        self.fallback = fallback
        self.summary = summary
    }
}

extension PipelineInput {
    /// Why it cannot have this value; nil if it can.
    func problem(with value: JSONValue) -> String? {
        let fits =
            switch type {
            case .text: value.string != nil
            case .integer: value.int != nil
            case .number: value.number != nil
            case .boolean: value.bool != nil
            case .list: value.array != nil
            case .object: value.members != nil
            }
        return fits ? nil : "is \(value.kindName), not \(expected)"
    }

    /// Reads a value from the command line: text as it is, everything else as JSON.
    /// - Throws: `PipelineError` with a sentence if it is not of this type.
    package func value(of text: String) throws(PipelineError) -> JSONValue {
        if type == .text { return .string(text) }
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw PipelineError(key: "inputs.\(name)", message: "\(InvalidText.quoted(text)) is not \(expected)")
        }
        if let problem = problem(with: value) { throw PipelineError(key: "inputs.\(name)", message: problem) }
        return value
    }

    /// The expected type, in a message's words.
    private var expected: String {
        switch type {
        case .text: "a text"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension Pipeline {
    /// The inputs as a run keeps them: checked, with defaults filled in.
    /// - Throws: `PipelineError` with a sentence if one is missing, unknown, or of another type.
    package func checked(inputs given: JSONValue) throws(PipelineError) -> JSONValue {
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
            throw PipelineError(key: "inputs", message: "are larger than 32 MiB together")
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
