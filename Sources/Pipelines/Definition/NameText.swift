/// What steps, inputs, roles, pipelines and modes may be called.
enum NameText {
    /// Names that templates and conditions see besides those of steps.
    static let reserved: Set<String> = ["inputs", "item", "number", "count", "position", "round", "previous", "answers"]
    /// Words of the language of conditions.
    static let words: Set<String> = ["and", "or", "not", "in", "true", "false", "null"]

    /// Letters, digits, `_` and `-`.
    static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Whether a pipeline, a role or a mode may be called so.
    static func isName(_ name: String) -> Bool {
        (1...PipelineLimits.maxNameBytes).contains(name.utf8.count) && name.utf8.allSatisfy(isPart)
    }

    /// Whether a step or an input may be called so, which conditions name: the first is a letter or `_`.
    static func isField(_ name: String) -> Bool {
        guard isName(name), let first = name.utf8.first, first != UInt8(ascii: "-") else { return false }
        return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }
}
