import AgentQueueModel
import AgentQueueSettings
import Glibc

/// Reads a prompt or another text from a file or standard input, unchanged but for a byte order mark.
enum InputText {
    /// Reads a whole file, or standard input for `-`.
    ///
    /// - Parameter subject: What it is, for error messages.
    /// - Throws: `CommandFailure` if it cannot be read, is not UTF-8, or is longer than a prompt may be.
    static func read(_ path: String, subject: String = "the prompt") throws -> String {
        do {
            return try FileText.read(try bytes(path, subject: subject))
        } catch let error as InvalidText {
            throw CommandFailure(.badInput, "\(subject) in \(name(path)) \(error.message)")
        }
    }

    /// Reads the bytes of a file, or of standard input for `-`.
    ///
    /// - Throws: `CommandFailure` if they cannot be read or are more than a prompt may have.
    static func bytes(_ path: String, subject: String) throws -> [UInt8] {
        let name = name(path)
        let bytes = path == "-" ? try contents(of: STDIN_FILENO, named: name) : try contents(ofFile: path, named: name)
        guard bytes.count <= JobLimits.maxPromptBytes else {
            throw CommandFailure(
                .badInput, "\(subject) in \(name) is longer than \(ByteCountText.format(Int64(JobLimits.maxPromptBytes)))")
        }
        return bytes
    }

    private static func name(_ path: String) -> String { path == "-" ? "standard input" : InvalidText.quoted(path) }

    private static func contents(ofFile path: String, named name: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure.make("open \(name)", errno: errno) }
        defer { close(descriptor) }
        return try contents(of: descriptor, named: name)
    }

    /// Stops soon after the maximum length of a prompt.
    private static func contents(of descriptor: Int32, named name: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= JobLimits.maxPromptBytes {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemFailure.make("read \(name)", errno: errno) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}

/// Reads the text of a memory or query.
enum MemoryText {
    /// Removes the final line break, which pipes usually add.
    ///
    /// - Throws: `CommandFailure`.
    static func read(_ path: String) throws -> String {
        var text = try InputText.read(path, subject: "the text")
        if text.utf8.last == UInt8(ascii: "\n") { text.removeLast() }
        return text
    }
}

/// A JSON Schema from a file.
enum SchemaFile {
    /// Reads a file, or standard input for `-`.
    ///
    /// - Throws: `CommandFailure` with file and position if it is not a supported schema.
    static func read(_ path: String) throws -> JSONValue {
        let subject = "the schema in \(path == "-" ? "standard input" : InvalidText.quoted(path))"
        let text = try InputText.read(path, subject: "the schema")
        let value: JSONValue
        do {
            value = GivenSchema.unwrapped(try JSONValue.parse(text))
        } catch {
            throw CommandFailure(.badInput, "\(subject) is \(error.description)")
        }
        guard value.members != nil else {
            throw CommandFailure(.badInput, "\(subject) must be an object, not \(value.kindName)")
        }
        do {
            try GivenSchema.compile(value)
        } catch {
            throw CommandFailure(.badInput, "\(subject) cannot be used: \(error.description)")
        }
        return value
    }
}
