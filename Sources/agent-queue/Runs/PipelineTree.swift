import Pipelines

/// A pipeline's steps as an indented list, for people.
enum PipelineTree {
    static func lines(_ nodes: [StepNode]) -> [String] {
        var table = Table([Column("STEP", leastWidth: 16), Column("ROLE"), Column("NEEDS"), Column("MANNER")])
        add(nodes, indent: "", to: &table)
        return table.takeLines()
    }

    private static func add(_ nodes: [StepNode], indent: String, to table: inout Table) {
        for node in nodes {
            let manner = [node.manner, node.condition.map { "when \($0)" }].compactMap(\.self).joined(separator: ", ")
            table.add([
                Cell(indent + DisplayText.line(node.name)), Cell(DisplayText.line(node.role ?? "")),
                Cell(DisplayText.line(node.needs.joined(separator: ", "))), Cell(DisplayText.line(manner)),
            ])
            add(node.children, indent: indent + "  ", to: &table)
        }
    }
}
