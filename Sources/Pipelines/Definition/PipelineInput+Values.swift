import JobModel
import Settings

extension PipelineInput {
    /// Why it cannot be this; nil where it can.
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

    /// Reads it as it is written on a command line: a text as it is, all others as JSON.
    /// - Throws: `PipelineError`, in a sentence, where it is not of its type.
    public func value(of text: String) throws(PipelineError) -> JSONValue {
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

    /// What it should be, in the words of a message.
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
