/// A part of a pattern, as parsed.
indirect enum PatternNode: Equatable {
    case empty
    case scalar(UInt32)
    case set(PatternSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// So many times; without an upper bound where `most` is nil.
    case repetition(PatternNode, least: Int, most: Int?)
    /// The text's beginning.
    case start
    /// The text's end.
    case end
    /// Between a word's character and something else, or not there.
    case boundary(isInside: Bool)
    /// What follows fits, or does not; nothing is consumed.
    case lookahead(PatternNode, isNegative: Bool)

    /// Whether a quantifier may stand behind it.
    var isRepeatable: Bool {
        switch self {
        case .start, .end, .boundary, .lookahead: false
        default: true
        }
    }
}
