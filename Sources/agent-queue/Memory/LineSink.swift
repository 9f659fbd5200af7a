import AgentQueue
import JobModel

/// Where JSON lines go: standard output, or a file that takes its name once it is whole.
struct LineSink {
    private var output = Output()
    private let file: PendingFile?

    /// - Parameter path: `-` is standard output.
    /// - Throws: `InputError` where the file cannot be made.
    init(_ path: String) throws(InputError) {
        file = path == "-" ? nil : try PendingFile(path: path)
    }

    /// A JSON value on a line of its own.
    mutating func json(_ value: JSONValue) throws {
        guard let file else { return try output.json(value) }
        var bytes: [UInt8] = []
        JSONText.write(value, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        try file.write(bytes)
    }

    /// Hands everything on.
    mutating func finish() throws {
        try output.flush()
        try file?.finish()
    }
}
