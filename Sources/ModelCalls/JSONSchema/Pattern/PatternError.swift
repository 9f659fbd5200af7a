/// Why a text is not a pattern that can be matched.
struct PatternError: Error, Equatable {
    /// What is wrong, as the end of a sentence.
    var problem: String
    /// Where, in code points from the beginning, counted from 1; nil where it is about the whole.
    var position: Int?

    init(_ problem: String, at offset: Int? = nil) {
        self.problem = problem
        position = offset.map { $0 + 1 }
    }
}
