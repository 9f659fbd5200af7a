/// Runs the program of a pattern on a text.
struct PatternMatcher {
    private let text: [UInt32]
    /// The remaining work; the matcher gives up at 0.
    private(set) var budget: Int

    init(_ text: String, budget: Int) {
        self.text = text.unicodeScalars.map(\.value)
        self.budget = budget
    }

    /// Whether the pattern matches anywhere in the text; nil if the budget ran out first.
    mutating func finds(_ program: PatternProgram) -> Bool? {
        let found = run(program, from: 0, isSearch: true)
        return budget > 0 ? found : nil
    }

    /// The set of program positions that are active.
    private struct Threads {
        var places: [Int] = []
        /// For each position, the round in which it was last entered.
        var rounds: [Int]
    }

    private mutating func run(_ program: PatternProgram, from start: Int, isSearch: Bool) -> Bool {
        var current = Threads(rounds: Array(repeating: -1, count: program.steps.count))
        var next = current
        var position = start
        if enter(0, of: program, at: position, &current) { return true }
        while budget > 0, position < text.count {
            let scalar = text[position]
            position += 1
            next.places.removeAll(keepingCapacity: true)
            for place in current.places where Self.takes(program, place, scalar) {
                if enter(place + 1, of: program, at: position, &next) { return true }
            }
            if isSearch, !program.isAnchored {
                if enter(0, of: program, at: position, &next) { return true }
            } else if next.places.isEmpty {
                return false
            }
            swap(&current, &next)
        }
        return false
    }

    private static func takes(_ program: PatternProgram, _ place: Int, _ scalar: UInt32) -> Bool {
        switch program.steps[place] {
        case .scalar(let wanted): wanted == scalar
        case .set(let set): program.sets[set].contains(scalar)
        default: false
        }
    }

    /// Follows all steps that consume nothing. Returns whether the end was reached.
    private mutating func enter(_ place: Int, of program: PatternProgram, at position: Int, _ threads: inout Threads) -> Bool {
        var waiting = [place]
        while let place = waiting.popLast() {
            budget -= 1
            guard budget > 0 else { return false }
            guard threads.rounds[place] != position else { continue }
            threads.rounds[place] = position
            switch program.steps[place] {
            case .match: return true
            case .scalar, .set: threads.places.append(place)
            case .jump(let target): waiting.append(target)
            case .split(let one, let other):
                waiting.append(other)
                waiting.append(one)
            case .start: if position == 0 { waiting.append(place + 1) }
            case .end: if position == text.count { waiting.append(place + 1) }
            case .boundary(let isInside):
                if isBoundary(position) != isInside { waiting.append(place + 1) }
            case .lookahead(let index, let isNegative):
                if run(program.lookaheads[index], from: position, isSearch: false) != isNegative { waiting.append(place + 1) }
            }
        }
        return false
    }

    private func isBoundary(_ position: Int) -> Bool { isWord(position - 1) != isWord(position) }

    private func isWord(_ position: Int) -> Bool {
        text.indices.contains(position) && PatternSet.wordCharacters.contains(text[position])
    }
}
