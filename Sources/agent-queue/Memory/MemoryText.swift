/// The text of a memory, or of a query, from a file or standard input.
enum MemoryText {
    /// Reads it, without its last line break: who pipes a text does not mean that.
    ///
    /// - Throws: `CommandFailure`.
    static func read(_ path: String) throws -> String {
        var text = try InputText.read(path, subject: "the text")
        if text.utf8.last == UInt8(ascii: "\n") { text.removeLast() }
        return text
    }
}
