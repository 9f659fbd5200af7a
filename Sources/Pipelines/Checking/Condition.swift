import JobModel

/// A condition with what it names.
struct Condition: Sendable {
    let expression: Expression
    let references: [Reference]

    init(_ expression: Expression) {
        self.expression = expression
        references = Self.paths(of: expression).map { Reference(path: $0, line: nil) }
    }

    private static func paths(of expression: Expression) -> [[Expression.Step]] {
        switch expression {
        case .literal: []
        case .field(let path), .exists(let path): [path]
        case .comparison(let left, _, let right): paths(of: left) + paths(of: right)
        case .isIn(let value, _): paths(of: value)
        case .and(let parts), .or(let parts): parts.flatMap(paths)
        case .not(let part): paths(of: part)
        }
    }
}
