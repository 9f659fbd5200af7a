import AgentQueueModel
import AgentQueueSettings
import Yams

/// A value in a pipeline's YAML or JSON: without a type yet, but with its place.
struct DefinitionNode {
    /// The content.
    enum Content {
        /// A text, number or word. If it is not in quotes, it may be a number, a boolean or null.
        case scalar(String, isPlain: Bool)
        case list([DefinitionNode])
        case mapping([Pair])
    }

    /// A key with its value.
    struct Pair {
        var key: String
        /// The key's line.
        var line: Int?
        var value: DefinitionNode
    }

    var content: Content
    /// From 1; nil if it is not from a file.
    var line: Int?
    /// Where the text itself begins, if its lines are lines of the file: for a block scalar (`|`).
    var textLine: Int?

    /// Whether the value is missing, or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    var pairs: [Pair]? { if case .mapping(let pairs) = content { pairs } else { nil } }
    var list: [DefinitionNode]? { if case .list(let list) = content { list } else { nil } }
    var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    /// The kind of value, in a message's words.
    var kindName: String {
        switch content {
        case .mapping: "keys and values"
        case .list: "a list"
        case .scalar: isNull ? "nothing" : "a single value"
        }
    }

    /// As JSON: unquoted words and numbers by their meaning, everything else as text.
    var json: JSONValue {
        switch content {
        case .list(let elements): return .array(elements.map(\.json))
        case .mapping(let pairs): return .object(pairs.map { .init($0.key, $0.value.json) })
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            // What looks like a number and is not one stays a text. A key that needs a number reports it.
            return (try? YAMLValue.plain(text, line: line)) ?? .string(text)
        }
    }
}

extension DefinitionNode {
    /// Makes a node of JSON, which is YAML too.
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

/// Converts what the YAML library has read. Aliases repeat their values, so repeated values are counted: a small hostile file takes bounded
/// time.
struct YAMLNodes {
    private var count = 0

    /// Why a file could not be read.
    struct Fault: Error {
        var message: String
        var line: Int?
    }

    /// The value of a whole file; nil if it is empty.
    static func read(_ text: String) throws(Fault) -> DefinitionNode? {
        guard text.utf8.count <= PipelineLimits.maxBytes else { throw Fault(message: "is larger than 1 MiB") }
        let root: Node?
        do {
            // The basic resolver returns every scalar as text, because its key decides on the type.
            root = try compose(yaml: text, .basic, .default, .utf8)
        } catch {
            let fault = YAMLFault(error, in: text)
            throw Fault(message: fault.message, line: fault.line)
        }
        guard let root else { return nil }
        var nodes = YAMLNodes()
        return try nodes.node(root, depth: 0)
    }

    private mutating func node(_ node: Node, depth: Int) throws(Fault) -> DefinitionNode {
        let line = node.mark?.line
        count += 1
        guard count <= PipelineLimits.maxNodes else { throw Fault(message: "has more than 100,000 values", line: line) }
        guard depth <= PipelineLimits.maxNesting else {
            throw Fault(message: "is nested deeper than \(PipelineLimits.maxNesting)", line: line)
        }
        switch node {
        case .scalar(let scalar):
            let isBlock = scalar.style == .literal
            return DefinitionNode(
                content: .scalar(scalar.string, isPlain: scalar.style == .plain), line: line, textLine: isBlock ? line.map { $0 + 1 } : nil)
        case .sequence(let sequence):
            var list: [DefinitionNode] = []
            for element in sequence { list.append(try self.node(element, depth: depth + 1)) }
            return DefinitionNode(content: .list(list), line: line)
        case .mapping(let mapping):
            var pairs: [DefinitionNode.Pair] = []
            for (key, value) in mapping {
                guard let name = key.scalar?.string else { throw Fault(message: "a key must be a word", line: key.mark?.line) }
                pairs.append(.init(key: name, line: key.mark?.line, value: try self.node(value, depth: depth + 1)))
            }
            return DefinitionNode(content: .mapping(pairs), line: line)
        case .alias: throw Fault(message: "has an alias of nothing", line: line)
        }
    }
}
