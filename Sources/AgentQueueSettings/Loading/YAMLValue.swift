import AgentQueueModel
import Yams

/// YAML as JSON values, typed by the core schema of YAML 1.2: `true`, `12`, `0.5` and `null` are what they look like, and anything in
/// quotes is text.
package struct YAMLValue {
    /// The most values one text may expand to. With anchors, a short text can expand to a great many.
    static let maxValues = 100_000

    private var count = 0

    private init() {}

    /// Parses a text, leaving its scalars untyped; nil if the text is empty.
    /// - Throws: `YAMLFault`.
    package static func node(of text: String) throws(YAMLFault) -> Node? {
        do {
            return try compose(yaml: text, .basic, .default, .utf8)
        } catch {
            throw YAMLFault(error, in: text)
        }
    }

    /// Converts a node from ``node(of:)``.
    /// - Throws: `YAMLFault` if JSON has no such value: a key that is not a scalar, a number that is infinite or not a number.
    package static func json(_ node: Node) throws(YAMLFault) -> JSONValue {
        var reader = YAMLValue()
        return try reader.value(node, depth: 1)
    }

    private mutating func value(_ node: Node, depth: Int) throws(YAMLFault) -> JSONValue {
        count += 1
        guard count <= Self.maxValues else { throw YAMLFault("holds more than \(Self.maxValues) values", line: node.mark?.line) }
        guard depth <= JSONValue.maxDepth else { throw YAMLFault("nests too deep", line: node.mark?.line) }
        switch node {
        case .scalar(let scalar):
            return scalar.style == .plain ? try Self.plain(scalar.string, line: scalar.mark?.line) : .string(scalar.string)
        case .sequence(let sequence):
            var values: [JSONValue] = []
            for element in sequence { values.append(try value(element, depth: depth + 1)) }
            return .array(values)
        case .mapping(let mapping):
            var members: [JSONValue.Member] = []
            for (key, element) in mapping {
                guard let name = key.scalar?.string else { throw YAMLFault("a key must be a word", line: key.mark?.line) }
                members.append(.init(name, try value(element, depth: depth + 1)))
            }
            return .object(members)
        case .alias:
            throw YAMLFault("an alias stands for nothing", line: node.mark?.line)
        }
    }

    /// The value of an unquoted scalar. Hexadecimal and octal numbers are read as the core schema says.
    /// - Throws: `YAMLFault` for a number that is infinite or not a number.
    package static func plain(_ text: String, line: Int?) throws(YAMLFault) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if text.wholeMatch(of: /[-+]?[0-9]+/) != nil { return integer(text) }
        if let number = text.wholeMatch(of: /0o([0-7]+)/)?.1, let value = Int64(number, radix: 8) { return .integer(value) }
        if let number = text.wholeMatch(of: /0x([0-9a-fA-F]+)/)?.1, let value = Int64(number, radix: 16) { return .integer(value) }
        if text.wholeMatch(of: /[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?/) != nil {
            guard let value = Double(text), value.isFinite else { throw notFinite(text, line) }
            return .double(value)
        }
        if text.wholeMatch(of: /[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)/) != nil { throw notFinite(text, line) }
        return .string(text)
    }

    private static func integer(_ text: String) -> JSONValue {
        if let value = Int64(text) { return .integer(value) }
        let digits = text.drop { $0 == "+" || $0 == "-" }.drop { $0 == "0" }
        return .digits((text.hasPrefix("-") ? "-" : "") + digits)
    }

    private static func notFinite(_ text: String, _ line: Int?) -> YAMLFault {
        YAMLFault("\(InvalidText.quoted(text)) is not a finite number", line: line)
    }
}

/// Why a text is not valid YAML, or not YAML that can be used: what is wrong and on which line.
package struct YAMLFault: Error, Equatable, Sendable {
    /// What is wrong, without the place.
    package let message: String
    /// The line, from 1; nil if unknown.
    package let line: Int?

    /// - Parameter message: user input in it must have gone through ``InvalidText/quoted(_:)``.
    package init(_ message: String, line: Int?) {
        self.message = message
        self.line = line
    }

    /// Translates an error of the parser.
    package init(_ error: any Error, in text: String) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let setting = context.map { " (\($0.text), which began on line \($0.mark.line))" } ?? ""
            message = "this is not valid YAML: \(problem)\(setting)\(Self.tabHint(on: mark.line, in: text))"
            line = mark.line
        case .reader(let problem, let offset, _, _):
            message = "this is not valid YAML: \(problem)"
            line = offset.map { text.prefix($0).count { $0.isNewline } + 1 }
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let second = Self.lineOfSecond(key, after: context.mark, in: text)
            message = "duplicate key \(InvalidText.quoted(key))" + (second.map { _ in " (first on line \(context.mark.line))" } ?? "")
            line = second ?? context.mark.line
        default:
            message = "this is not valid YAML"
            line = nil
        }
    }

    /// Says so where a line, or the one before it, is indented by a tab, which the parser does not name.
    private static func tabHint(on line: Int, in text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let near = lines.indices.contains(line - 1) ? lines[max(0, line - 2)...(line - 1)] : lines.suffix(2)
        return near.contains { $0.prefix { $0 == " " || $0 == "\t" }.contains("\t") } ? " (indent with spaces: YAML allows no tabs)" : ""
    }

    /// The line on which `key` occurs again in the column of its first mark, before anything that is indented less. Nil if it is not on a
    /// line of its own (`{ a: 1, a: 2 }`): the parser only reports the first one.
    private static func lineOfSecond(_ key: String, after first: Mark, in text: String) -> Int? {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated().dropFirst(first.line) {
            let indent = line.prefix { $0 == " " }.count
            let content = line.dropFirst(indent)
            guard !content.isEmpty, !content.hasPrefix("#") else { continue }
            guard indent >= first.column - 1 else { return nil }
            if indent == first.column - 1, [key, "'\(key)'", "\"\(key)\""].contains(where: { content.hasPrefix($0 + ":") }) {
                return index + 1
            }
        }
        return nil
    }
}
