/// Parses the regular expressions of ECMA-262 that JSON Schema uses, as far as they can be matched without backtracking. Backreferences
/// and lookbehinds are refused, and so is the syntax of other dialects (`(?i)`, `\A`, `\Z`).
struct PatternParser {
    private static let maxGroupDepth = 50
    static let maxRepetitions = 10_000

    let text: [UInt32]
    var position = 0
    private var depth = 0

    init(_ text: String) {
        self.text = text.unicodeScalars.map(\.value)
    }

    mutating func pattern() throws(PatternError) -> PatternNode {
        let node = try choice()
        guard position == text.count else { throw PatternError("')' without its '('", at: position) }
        return node
    }

    var peek: UInt32? { position < text.count ? text[position] : nil }

    /// Consumes a character if it is next.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == character.value else { return false }
        position += 1
        return true
    }

    private mutating func choice() throws(PatternError) -> PatternNode {
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let next = peek, next != 0x7C, next != 0x29 {
            let start = position
            let atom = try atom()
            guard let (least, most) = try quantifier() else {
                nodes.append(atom)
                continue
            }
            guard atom.isRepeatable else { throw PatternError("nothing to repeat", at: start) }
            nodes.append(.repetition(atom, least: least, most: most))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func atom() throws(PatternError) -> PatternNode {
        let start = position
        guard let next = peek else { throw PatternError("it ends too early", at: start) }
        position += 1
        switch Unicode.Scalar(next) {
        case "^": return .start
        case "$": return .end
        case ".": return .set(.anyButLineEnds)
        case "(": return try group(from: start)
        case "[": return .set(try characterClass(from: start))
        case "\\": return try escape(from: start)
        case "*", "+", "?": throw PatternError("nothing to repeat", at: start)
        case "{":
            position = start
            if try quantifier() != nil { throw PatternError("nothing to repeat", at: start) }
            position = start + 1
            return .scalar(next)
        default: return .scalar(next)
        }
    }

    private mutating func group(from start: Int) throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxGroupDepth else { throw PatternError("groups nested deeper than \(Self.maxGroupDepth)", at: start) }
        var lookahead: Bool?
        if take("?") {
            if take("=") {
                lookahead = false
            } else if take("!") {
                lookahead = true
            } else if take("<") {
                if peek == 0x3D || peek == 0x21 { throw PatternError("lookbehinds are not supported", at: start) }
                guard let end = text[position...].firstIndex(of: 0x3E), end > position else {
                    throw PatternError("a group's name without its '>'", at: start)
                }
                position = end + 1
            } else if !take(":") {
                throw PatternError("'(?' must be followed by ':', '=', '!' or '<name>'", at: start)
            }
        }
        let inner = try choice()
        guard take(")") else { throw PatternError("'(' without its ')'", at: start) }
        return lookahead.map { .lookahead(inner, isNegative: $0) } ?? inner
    }

    /// Parses a quantifier; nil, consuming nothing, if there is none.
    private mutating func quantifier() throws(PatternError) -> (least: Int, most: Int?)? {
        let start = position
        var bounds: (least: Int, most: Int?)
        if take("*") {
            bounds = (0, nil)
        } else if take("+") {
            bounds = (1, nil)
        } else if take("?") {
            bounds = (0, 1)
        } else if take("{"), let least = try count() {
            bounds = (least, least)
            if take(",") { bounds.most = try count() }
            guard take("}") else {
                position = start
                return nil
            }
        } else {
            position = start
            return nil
        }
        if let most = bounds.most, most < bounds.least { throw PatternError("the numbers in '{}' are out of order", at: start) }
        // Greediness makes no difference to whether a text matches.
        _ = take("?")
        return bounds
    }

    private mutating func count() throws(PatternError) -> Int? {
        let start = position
        var value = 0
        while let next = peek, (0x30...0x39).contains(next) {
            value = value * 10 + Int(next - 0x30)
            guard value <= Self.maxRepetitions else { throw PatternError("more than \(Self.maxRepetitions) repetitions", at: start) }
            position += 1
        }
        return position > start ? value : nil
    }
}

/// A node of a parsed pattern.
indirect enum PatternNode: Equatable {
    case empty
    case scalar(UInt32)
    case set(PatternSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// A repetition, without an upper limit if `most` is nil.
    case repetition(PatternNode, least: Int, most: Int?)
    /// The start of the text.
    case start
    /// The end of the text.
    case end
    /// A word boundary (or, if `isInside`, the opposite).
    case boundary(isInside: Bool)
    /// Whether what follows matches (or does not); consumes nothing.
    case lookahead(PatternNode, isNegative: Bool)

    /// Whether it can be followed by a quantifier.
    var isRepeatable: Bool {
        switch self {
        case .start, .end, .boundary, .lookahead: false
        default: true
        }
    }
}

/// Why a text is not a supported pattern.
struct PatternError: Error, Equatable {
    /// What is wrong, as the end of a sentence.
    var problem: String
    /// Where, in code points from 1; nil if it concerns the whole pattern.
    var position: Int?

    init(_ problem: String, at offset: Int? = nil) {
        self.problem = problem
        position = offset.map { $0 + 1 }
    }
}
