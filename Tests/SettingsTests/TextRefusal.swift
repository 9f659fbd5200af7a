import Settings

/// What a parser says against a text; nil if it takes it.
func refusal<Value>(_ parse: () throws(InvalidText) -> Value) -> String? {
    do {
        _ = try parse()
        return nil
    } catch {
        return error.message
    }
}
