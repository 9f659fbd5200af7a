import AgentQueueModel
import Glibc

/// The value of `--schema`: a file, or the fields of a flat object.
enum SchemaOption {
    /// Reads a file (`-` is standard input) or, where there is none with this name, a list of fields such as `name, age int`.
    ///
    /// - Throws: `CommandFailure`.
    static func read(_ text: String) throws -> JSONValue {
        guard text != "-", access(text, F_OK) != 0, isShorthand(text) else { return try SchemaFile.read(text) }
        do {
            return try SchemaShorthand.schema(text)
        } catch {
            throw CommandFailure(.usage, "--schema \(InvalidText.quoted(text)) \(error.message)")
        }
    }

    /// Whether a text can only be a list of fields. A word alone may be one field, but with a dot or slash it is a file that is missing.
    private static func isShorthand(_ text: String) -> Bool {
        text.contains { $0 == "," || $0.isWhitespace } || !text.contains { $0 == "." || $0 == "/" }
    }
}
