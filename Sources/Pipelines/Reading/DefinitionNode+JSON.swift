import JobModel

extension DefinitionNode {
    /// JSON as the YAML that it is.
    init(_ value: JSONValue) {
        switch value {
        case .null: content = .scalar("", isPlain: true)
        case .bool, .integer, .double, .digits: content = .scalar(value.text, isPlain: true)
        case .string(let text): content = .scalar(text, isPlain: false)
        case .array(let elements): content = .list(elements.map(DefinitionNode.init))
        case .object(let members):
            content = .mapping(members.map { Pair(key: $0.key, line: nil, value: DefinitionNode($0.value)) })
        }
    }
}
