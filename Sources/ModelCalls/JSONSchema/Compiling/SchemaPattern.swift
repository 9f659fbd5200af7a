/// A pattern of a schema, as written and as a program.
struct SchemaPattern: Sendable {
    let source: String
    let program: PatternProgram

    init(_ source: String) throws(PatternError) {
        self.source = source
        program = try PatternProgram(source)
    }
}
