import AgentQueueModel
import AgentQueueSettings

/// Reading values of the types that keys have.
extension DefinitionReader {
    mutating func report(_ message: String, at key: String, line: Int? = nil) {
        faults.append(PipelineError(path: path, line: line ?? positions.line(of: key), key: key.isEmpty ? nil : key, message: message))
    }

    /// The values below a key, by name. Keys without a value are left out. Nil if these are not keys and values.
    mutating func fields(of node: DefinitionNode, at key: String, known: [String]) -> [String: DefinitionNode]? {
        guard let pairs = node.pairs else {
            report("expected keys and values here, found \(node.kindName)", at: key, line: node.line)
            return nil
        }
        var fields: [String: DefinitionNode] = [:]
        for pair in pairs {
            guard known.contains(pair.key) else {
                let hint = Suggestion.hint(for: pair.key, in: known)
                report("unknown key \(InvalidText.quoted(pair.key))\(hint)", at: key, line: pair.line)
                continue
            }
            let dotted = key.isEmpty ? pair.key : "\(key).\(pair.key)"
            positions.keep(dotted, pair)
            if pair.value.isNull, pair.key != "default" {
                report("has no value", at: dotted, line: pair.line)
            } else {
                fields[pair.key] = pair.value
            }
        }
        return fields
    }

    /// The values below names that the user chose, in order.
    mutating func named<Value>(
        _ node: DefinitionNode?, _ key: String,
        _ read: (inout DefinitionReader, _ name: String, _ node: DefinitionNode, _ key: String) -> Value?
    ) -> [Value] {
        guard let node else { return [] }
        guard let pairs = node.pairs else {
            report("expected names with what they stand for, found \(node.kindName)", at: key, line: node.line)
            return []
        }
        var values: [Value] = []
        for pair in pairs {
            let dotted = "\(key).\(pair.key)"
            positions.keep(dotted, pair)
            if let value = read(&self, pair.key, pair.value, dotted) { values.append(value) }
        }
        return values
    }

    mutating func text(_ node: DefinitionNode, _ key: String) -> String? {
        if let text = node.text { return text }
        report("expected a text, found \(node.kindName)", at: key, line: node.line)
        return nil
    }

    mutating func texts(_ node: DefinitionNode, _ key: String) -> [String]? {
        if let list = node.list { return list.enumerated().compactMap { text($0.element, "\(key)[\($0.offset)]") } }
        return text(node, key).map { [$0] }
    }

    mutating func integer(_ node: DefinitionNode, _ key: String) -> Int? {
        if let whole = node.json.int { return whole }
        return refuse(node, key, expected: "a whole number")
    }

    mutating func amount(_ node: DefinitionNode, _ key: String) -> Amount? {
        if let text = node.text, text.hasPrefix("inputs.") { return .input(String(text.dropFirst("inputs.".count))) }
        if let whole = node.json.int { return .number(whole) }
        return refuse(node, key, expected: "a whole number, or an input such as inputs.rounds")
    }

    mutating func number(_ node: DefinitionNode, _ key: String) -> Double? {
        if let number = node.json.number { return number }
        return refuse(node, key, expected: "a number")
    }

    mutating func boolean(_ node: DefinitionNode, _ key: String) -> Bool? {
        if let bool = node.json.bool { return bool }
        return refuse(node, key, expected: "true or false")
    }

    mutating func object(_ node: DefinitionNode, _ key: String) -> [JSONValue.Member]? {
        if let members = node.json.members { return members }
        return refuse(node, key, expected: "keys and values")
    }

    /// An option of a job.
    mutating func read(_ option: JobOption, _ fields: [String: DefinitionNode], _ key: String, into job: inout JobDraft) {
        guard let node = fields[option.name] else { return }
        // In a list of texts, as outside one, a text needs no quotes.
        let json = node.list.map { JSONValue.array($0.map { element in element.text.map(JSONValue.string) ?? element.json }) }
        do {
            try option.read(OptionValue(json ?? node.json, text: node.text), &job)
        } catch {
            let key = "\(key).\(option.name)"
            switch error {
            case .type(let type): let _: Never? = refuse(node, key, expected: type.inYAML)
            default: report(error.inYAML, at: key, line: node.line)
            }
        }
    }

    /// A case of an enumeration.
    /// - Parameter also: other words that people write, with the word that each stands for, for the hint.
    mutating func word<Word: RawRepresentable & CaseIterable>(
        _ node: DefinitionNode, _ key: String, of type: Word.Type, also: [String: String] = [:]
    ) -> Word? where Word.RawValue == String {
        guard let text = text(node, key) else { return nil }
        if let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map(\.rawValue)
        let hint = also[text.lowercased()].map { " (did you mean '\($0)'?)" } ?? Suggestion.hint(for: text, in: words)
        report("\(InvalidText.quoted(text)) is none of \(words.joined(separator: ", "))\(hint)", at: key, line: node.line)
        return nil
    }

    private mutating func refuse<Value>(_ node: DefinitionNode, _ key: String, expected: String) -> Value? {
        let found = node.text.map { node.isNull ? "nothing" : InvalidText.quoted($0) } ?? node.kindName
        report("expected \(expected), found \(found)", at: key, line: node.line)
        return nil
    }
}
