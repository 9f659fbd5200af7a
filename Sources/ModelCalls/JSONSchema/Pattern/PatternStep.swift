/// One instruction of a pattern's program.
enum PatternStep: Sendable, Equatable {
    case scalar(UInt32)
    /// A set, by its place in the program's list.
    case set(Int)
    /// Goes on in both places.
    case split(Int, Int)
    case jump(Int)
    case start
    case end
    case boundary(isInside: Bool)
    /// A program of its own, by its place in the program's list.
    case lookahead(Int, isNegative: Bool)
    case match
}
