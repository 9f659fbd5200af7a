import JobModel
import ModelCalls
import Settings

/// A JSON Schema from a file.
enum SchemaFile {
    /// Reads a file, or standard input for `-`.
    ///
    /// - Throws: `CommandFailure`, naming the file and the place in it, for what is no schema that answers can be checked by.
    static func read(_ path: String) throws -> JSONValue {
        let subject = "the schema in \(path == "-" ? "standard input" : InvalidText.quoted(path))"
        let text = try InputText.read(path, subject: "the schema")
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw CommandFailure(.badInput, "\(subject) is \(error.description)")
        }
        guard value.members != nil else {
            throw CommandFailure(.badInput, "\(subject) must be an object, not \(value.kindName)")
        }
        do {
            _ = try JSONSchema(value)
        } catch {
            throw CommandFailure(.badInput, "\(subject) cannot be used: \(error.description)")
        }
        return value
    }
}
