/// A pattern compiled for a machine that follows all alternatives at once. Matching takes at most (length of the text × length of the
/// program) steps, so neither a model's answer nor the author of a schema can make it run away as with a backtracking matcher. (Swift's
/// `Regex` backtracks, and matches characters where JSON Schema means code points.)
struct PatternProgram: Sendable, Equatable {
    /// The maximum number of instructions, including all lookaheads.
    static let maxSteps = 40_000

    private(set) var steps: [PatternStep] = []
    private(set) var sets: [PatternSet] = []
    private(set) var lookaheads: [PatternProgram] = []
    private var size = 0
    /// The number of nodes visited. An empty repetition adds no instruction, so these are limited too.
    private var visits = 0

    /// Parses and compiles a pattern.
    init(_ pattern: String) throws(PatternError) {
        var parser = PatternParser(pattern)
        try self.init(parser.pattern())
    }

    private init(_ node: PatternNode) throws(PatternError) {
        try add(node)
        try append(.match)
    }

    /// Whether it can match only at the start of the text.
    var isAnchored: Bool { steps.first == .start }

    private mutating func append(_ step: PatternStep) throws(PatternError) {
        size += 1
        guard size <= Self.maxSteps else { throw PatternError("it repeats too much") }
        steps.append(step)
    }

    private mutating func add(_ node: PatternNode) throws(PatternError) {
        visits += 1
        guard visits <= 4 * Self.maxSteps else { throw PatternError("it repeats too much") }
        switch node {
        case .empty: break
        case .scalar(let scalar): try append(.scalar(scalar))
        case .set(let set): try append(.set(place(of: set)))
        case .sequence(let nodes): for node in nodes { try add(node) }
        case .choice(let branches): try addChoice(branches)
        case .repetition(let node, let least, let most): try addRepetition(node, least, most)
        case .start: try append(.start)
        case .end: try append(.end)
        case .boundary(let isInside): try append(.boundary(isInside: isInside))
        case .lookahead(let node, let isNegative):
            let program = try PatternProgram(node)
            size += program.size
            lookaheads.append(program)
            try append(.lookahead(lookaheads.count - 1, isNegative: isNegative))
        }
    }

    private mutating func place(of set: PatternSet) -> Int {
        if let place = sets.firstIndex(of: set) { return place }
        sets.append(set)
        return sets.count - 1
    }

    private mutating func addChoice(_ branches: [PatternNode]) throws(PatternError) {
        var ends: [Int] = []
        for (index, branch) in branches.enumerated() {
            guard index < branches.count - 1 else {
                try add(branch)
                break
            }
            let split = steps.count
            try append(.split(split + 1, 0))
            try add(branch)
            ends.append(steps.count)
            try append(.jump(0))
            steps[split] = .split(split + 1, steps.count)
        }
        for end in ends { steps[end] = .jump(steps.count) }
    }

    private mutating func addRepetition(_ node: PatternNode, _ least: Int, _ most: Int?) throws(PatternError) {
        for _ in 0..<least { try add(node) }
        guard let most else {
            let split = steps.count
            try append(.split(split + 1, 0))
            try add(node)
            try append(.jump(split))
            steps[split] = .split(split + 1, steps.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(steps.count)
            try append(.split(steps.count + 1, 0))
            try add(node)
        }
        for split in splits { steps[split] = .split(split + 1, steps.count) }
    }
}

/// An instruction of a pattern's program.
enum PatternStep: Sendable, Equatable {
    case scalar(UInt32)
    /// A set, by its index in the program's list.
    case set(Int)
    /// Continues at both positions.
    case split(Int, Int)
    case jump(Int)
    case start
    case end
    case boundary(isInside: Bool)
    /// A nested program, by its index in the program's list.
    case lookahead(Int, isNegative: Bool)
    case match
}
