import Settings
import Yams

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
