import AgentQueueModel

/// What a member of a request must be, in the dialect it is written in.
enum MemberType: Sendable {
    case string
    case flag
    case number
    case wholeNumber(ClosedRange<Int>)
    case list
    case object
    case stringOrObject
    case stringOrStrings
    case strings

    /// Checks a value.
    /// - Parameter param: the name of the member.
    func check(_ value: JSONValue, _ param: String) throws(RequestError) {
        guard !accepts(value) else { return }
        if case .wholeNumber(let range) = self, value.number != nil {
            throw RequestError("\(param) must be a whole number \(Self.words(range))", param: param)
        }
        throw RequestError("\(param) must be \(words), not \(value.kindName)", param: param)
    }

    private func accepts(_ value: JSONValue) -> Bool {
        switch self {
        case .string: value.string != nil
        case .flag: value.bool != nil
        case .number: value.number != nil
        case .wholeNumber(let range): value.int.map(range.contains) ?? false
        case .list: value.array != nil
        case .object: value.members != nil
        case .stringOrObject: value.string != nil || value.members != nil
        case .stringOrStrings: value.string != nil || Self.strings.accepts(value)
        case .strings: value.array?.allSatisfy { $0.string != nil } ?? false
        }
    }

    private var words: String {
        switch self {
        case .string: "a string"
        case .flag: "true or false"
        case .number: "a number"
        case .wholeNumber: "a whole number"
        case .list: "a list"
        case .object: "an object"
        case .stringOrObject: "a string or an object"
        case .stringOrStrings: "a string or a list of strings"
        case .strings: "a list of strings"
        }
    }

    private static func words(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
    }
}

extension JSONValue {
    /// The members of a request that say something: null is the same as none.
    var given: [Member] { (members ?? []).filter { !$0.value.isNull } }

    /// A member that says something.
    func given(_ key: String) -> JSONValue? { self[key].flatMap { $0.isNull ? nil : $0 } }

    /// Checks the types of the members that the dialect knows. Others are for the provider to know.
    func check(_ types: [String: MemberType]) throws(RequestError) {
        for member in given {
            if let type = types[member.key] { try type.check(member.value, member.key) }
        }
    }

    /// A list of objects that must be there and hold something.
    func requiredObjects(_ key: String) throws(RequestError) -> [JSONValue] {
        guard let value = given(key) else { throw RequestError("\(key) is missing", param: key) }
        guard let elements = value.array else {
            throw RequestError("\(key) must be a list, not \(value.kindName)", param: key)
        }
        guard !elements.isEmpty else { throw RequestError("\(key) must not be empty", param: key) }
        for (index, element) in elements.enumerated() where element.members == nil {
            throw RequestError("\(key)[\(index)] must be an object, not \(element.kindName)", param: "\(key)[\(index)]")
        }
        return elements
    }

    /// Checks content: a string, or a list of objects that have a type.
    func checkContent(_ param: String) throws(RequestError) {
        if string != nil { return }
        guard let parts = array else {
            throw RequestError("\(param) must be a string or a list of parts, not \(kindName)", param: param)
        }
        for (index, part) in parts.enumerated() where part["type"]?.string == nil {
            throw RequestError("\(param)[\(index)] must be an object with a type", param: "\(param)[\(index)]")
        }
    }
}
