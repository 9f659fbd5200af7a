import JobModel

/// A place where two requests differ.
struct RequestDifference: Equatable {
    /// Such as `target` or `messages[1].content`; as stored, to be escaped where it is printed.
    let path: String
    /// What the first holds there, shortened; nil where it holds nothing.
    let a: JSONValue?
    /// What the second holds there.
    let b: JSONValue?
    /// From which character on two texts differ, the first being 1; nil of all else.
    let character: Int?
    /// What that place looks like, where this says why the texts differ.
    let hint: TextHint?

    init(_ path: String, _ a: JSONValue?, _ b: JSONValue?, character: Int? = nil, hint: TextHint? = nil) {
        self.path = path
        self.a = a
        self.b = b
        self.character = character
        self.hint = hint
    }

    /// As `--json` prints it.
    var json: JSONValue {
        .object([
            .init("path", .string(path)), .init("a", a ?? .null), .init("b", b ?? .null),
            .init("character", character.map { .integer(Int64($0)) } ?? .null), .init("hint", JobJSON.string(hint?.rawValue)),
        ])
    }
}
