/// Schemas for the same value, and how many of them it must fit.
enum InPlaceRule: Sendable {
    case reference(Int)
    case all([Int])
    case any([Int])
    case one([Int])
    case not(Int)
    case condition(if: Int, then: Int?, else: Int?)

    /// All of them.
    var schemas: [Int] {
        switch self {
        case .reference(let schema), .not(let schema): [schema]
        case .all(let schemas), .any(let schemas), .one(let schemas): schemas
        case .condition(let condition, let then, let otherwise): [condition] + [then, otherwise].compactMap { $0 }
        }
    }
}
