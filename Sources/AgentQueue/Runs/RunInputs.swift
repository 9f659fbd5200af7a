import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings

/// Converts inputs of a run from `name=value`, as people write them, to the types of the pipeline's inputs.
package struct RunInputs {
    private let known: [PipelineInput]
    /// Reads a file, or standard input for `-`.
    private let read: (_ path: String) throws -> String

    /// - Parameter read: reads a file, or standard input for `-`.
    package init(of known: [PipelineInput], read: @escaping (_ path: String) throws -> String) {
        self.known = known
        self.read = read
    }

    /// A given value: its text, and the file it was read from.
    private struct Given {
        var text: String
        var path: String?
    }

    /// Returns the inputs as an object.
    ///
    /// `name=@file` reads a file, `name=@-` standard input, and `name=@@x` is the text `@x`. Numbers, booleans and objects are written as
    /// in JSON. A list is a JSON array, a file with a JSON array whose name ends in `.json`, or one text for each time its name is given.
    /// - Parameters:
    ///   - texts: `name=value`, in the given order.
    ///   - base: values for inputs that `texts` does not name: an object, or nil for none.
    /// - Throws: `InputError`, and the errors of reading a file.
    package func object(_ texts: [String], over base: JSONValue? = nil) throws -> JSONValue {
        var given: [(name: String, values: [Given])] = []
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw InputError("input \(InvalidText.quoted(text)) must be written name=value", kind: .usage)
            }
            let name = String(text[..<equals])
            let value = try value(String(text[text.index(after: equals)...]))
            if let place = given.firstIndex(where: { $0.name == name }) {
                given[place].values.append(value)
            } else {
                given.append((name, [value]))
            }
        }
        var members = base?.members ?? []
        for (name, values) in given {
            members.removeAll { $0.key == name }
            members.append(.init(name, try typed(values, as: input(named: name))))
        }
        return .object(members)
    }

    private func value(_ text: String) throws -> Given {
        if text.hasPrefix("@@") { return Given(text: String(text.dropFirst())) }
        guard text.hasPrefix("@") else { return Given(text: text) }
        let path = String(text.dropFirst())
        guard !path.isEmpty else {
            throw InputError("an input's @ must be followed by a file's name, or by - for standard input", kind: .usage)
        }
        return Given(text: try read(path), path: path)
    }

    private func input(named name: String) throws(InputError) -> PipelineInput {
        if let input = known.first(where: { $0.name == name }) { return input }
        let names = known.map(\.name)
        let hint = Suggestion.hint(for: name, in: names)
        let list = names.isEmpty ? " (there are none)" : " (there are \(names.joined(separator: ", ")))"
        throw InputError("there is no input \(InvalidText.quoted(name))\(hint.isEmpty ? list : hint)", kind: .usage)
    }

    private func typed(_ values: [Given], as input: PipelineInput) throws(InputError) -> JSONValue {
        if input.type == .list { return try list(values, input) }
        guard values.count == 1, let value = values.first else {
            throw InputError("input \(InvalidText.quoted(input.name)) is given twice, and it is no list", kind: .usage)
        }
        guard input.type != .text else { return .string(value.text) }
        let trimmed = value.text.trimmingBlanks
        let read: JSONValue?
        do {
            read = try JSONValue.parse(trimmed)
        } catch {
            // For an incomplete object, add where the JSON breaks off.
            guard input.type != .object else { throw refusal(value, input, " (\(error.description))") }
            read = nil
        }
        switch (input.type, read) {
        case (.integer, let number?) where number.int != nil, (.number, let number?) where number.number != nil: return number
        case (.boolean, .bool(let flag)?): return .bool(flag)
        case (.object, .object(let members)?): return .object(members)
        default: throw refusal(value, input, "")
        }
    }

    private func list(_ values: [Given], _ input: PipelineInput) throws(InputError) -> JSONValue {
        guard values.count == 1, let value = values.first else { return .array(values.map { .string($0.text) }) }
        let isJSON = value.path.map { $0.hasSuffix(".json") } ?? value.text.trimmingBlanks.hasPrefix("[")
        guard isJSON else { return [.string(value.text)] }
        do {
            let read = try JSONValue.parse(value.text.trimmingBlanks)
            if case .array = read { return read }
        } catch {
            throw refusal(value, input, " (\(error.description))")
        }
        throw refusal(value, input, "")
    }

    private func refusal(_ value: Given, _ input: PipelineInput, _ reason: String) -> InputError {
        let expected =
            switch input.type {
            case .text: "a text"
            case .integer: "a whole number"
            case .number: "a number"
            case .boolean: "true or false"
            case .list: "a list: a JSON array, or its name given once for each element"
            case .object: "a JSON object"
            }
        let found = value.path.map { "what \(InvalidText.quoted($0)) holds" } ?? InvalidText.quoted(value.text)
        return InputError("input \(InvalidText.quoted(input.name)) must be \(expected), not \(found)\(reason)", kind: .usage)
    }
}

extension String {
    /// Without leading and trailing blanks and line ends.
    fileprivate var trimmingBlanks: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
