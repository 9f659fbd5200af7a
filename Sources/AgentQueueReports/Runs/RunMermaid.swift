import AgentQueueModel
import AgentQueuePipelines

/// A run's graph as a Mermaid flowchart.
package struct RunMermaid {
    private let graph: RunGraph
    private let now: Int64
    private var lines = ["flowchart TD"]
    private var classes: [(id: String, status: NodeStatus)] = []
    private var next = 0

    private static let styles: [(NodeStatus, String)] = [
        (.completed, "fill:#d9f2d9,stroke:#2e7d32,color:#111"), (.failed, "fill:#f8d7da,stroke:#b71c1c,color:#111"),
        (.running, "fill:#d6ebff,stroke:#0b5cad,color:#111"), (.retrying, "fill:#fff3cd,stroke:#a66f00,color:#111"),
        (.cancelled, "fill:#fff3cd,stroke:#a66f00,color:#111"), (.waiting, "fill:#f4f4f4,stroke:#888,color:#111"),
        (.skipped, "fill:#f4f4f4,stroke:#aaa,color:#777,stroke-dasharray:4"),
    ]

    /// The lines of the chart.
    package static func lines(_ graph: RunGraph, now: Int64) -> [String] {
        var chart = RunMermaid(graph: graph, now: now)
        chart.add(graph.nodes, prefix: "", depth: 1, isOver: false)
        for (id, status) in chart.classes { chart.lines.append("  class \(id) \(status.rawValue)") }
        for (status, style) in styles where chart.classes.contains(where: { $0.status == status }) {
            chart.lines.append("  classDef \(status.rawValue) \(style)")
        }
        return chart.lines
    }

    private init(graph: RunGraph, now: Int64) {
        self.graph = graph
        self.now = now
    }

    private mutating func add(_ nodes: [StepNode], prefix: String, depth: Int, isOver: Bool) {
        let indent = String(repeating: "  ", count: depth)
        var ids: [String: String] = [:]
        for node in nodes {
            let id = "s\(next)"
            next += 1
            ids[node.name] = id
            let status = graph.status(of: node, among: nodes, in: prefix, isOver: isOver)
            classes.append((id, status))
            let label = label(node, status, prefix)
            if node.children.isEmpty {
                lines.append("\(indent)\(id)[\"\(label)\"]")
            } else {
                lines.append("\(indent)subgraph \(id)[\"\(label)\"]")
                // Steps of a group are drawn once, with the state of the last round.
                let round = graph.rounds(of: node, in: prefix).last ?? 1
                add(node.children, prefix: "\(prefix)\(node.name)/\(round)/", depth: depth + 1, isOver: isOver || status == .skipped)
                lines.append("\(indent)end")
            }
        }
        for node in nodes {
            for need in node.needs {
                guard let from = ids[need], let to = ids[node.name] else { continue }
                lines.append("\(indent)\(from) --> \(to)")
            }
        }
    }

    /// Name, mode, state and numbers, on separate lines.
    private func label(_ node: StepNode, _ status: NodeStatus, _ prefix: String) -> String {
        let totals = StepTotals(graph.calls(of: node, in: prefix))
        var parts = [node.name]
        if let manner = node.manner { parts.append(manner) }
        if let condition = node.condition { parts.append("when \(condition)") }
        var state = status.rawValue
        if totals.count > 1 { state += " \(totals.completed)/\(totals.count)" }
        if let duration = totals.duration(now: now) { state += ", \(Figures.duration(milliseconds: duration))" }
        let tokens = totals.usage.inputTokens + totals.usage.outputTokens
        if tokens > 0 { state += ", \(Figures.count(tokens, "token"))" }
        if totals.cost > 0 || totals.unpriced > 0 { state += ", \(totals.costWords)" }
        parts.append(state)
        return parts.map(Self.escaped).joined(separator: "<br/>")
    }

    /// Escapes every character that could end the label or start markup, a link or a directive.
    package static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in DisplayText.line(text, limit: 200).unicodeScalars {
            if !scalar.isASCII || isPlain(scalar) {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += "#\(scalar.value);"
            }
        }
        return escaped
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || " _-.,/$".unicodeScalars.contains(scalar)
    }
}
