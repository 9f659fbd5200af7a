import AgentQueueModel
import AgentQueueSettings
import Yams

/// A value of a pipeline's text, whether it was YAML or JSON: no type yet, but its place.
struct DefinitionNode {
    /// What it is.
    enum Content {
        /// A text, a number, a word; not in quotes, what it is called may say what it is.
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
    /// From 1; nil where it came from no file.
    var line: Int?
    /// Where the text itself begins, if its lines are the file's lines: of a block scalar (`|`).
    var textLine: Int?

    /// Whether nothing is written, or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    var pairs: [Pair]? { if case .mapping(let pairs) = content { pairs } else { nil } }
    var list: [DefinitionNode]? { if case .list(let list) = content { list } else { nil } }
    var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    /// What kind of value this is, in the words of an error message.
    var kindName: String {
        switch content {
        case .mapping: "keys and values"
        case .list: "a list"
        case .scalar: isNull ? "nothing" : "a single value"
        }
    }

    /// As JSON: words and numbers out of quotes as what they are, everything else as texts.
    var json: JSONValue {
        switch content {
        case .list(let elements): return .array(elements.map(\.json))
        case .mapping(let pairs): return .object(pairs.map { .init($0.key, $0.value.json) })
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            // A number that is none stays the text that it is: whoever wants a number says so.
            return (try? YAMLValue.plain(text, line: line)) ?? .string(text)
        }
    }
}

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

/// Turns what the YAML library read into our own nodes. Aliases repeat what they name, so all that is repeated is counted: a small hostile
/// text takes bounded time.
struct YAMLNodes {
    private var count = 0

    /// Why a text has no nodes.
    struct Fault: Error {
        var message: String
        var line: Int?
    }

    /// The value of a whole text; nil where it is empty.
    static func read(_ text: String) throws(Fault) -> DefinitionNode? {
        guard text.utf8.count <= PipelineLimits.maxBytes else { throw Fault(message: "is larger than 1 MiB") }
        let root: Node?
        do {
            // The basic resolver gives every scalar as the text it is: what type it should be, its key knows.
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
