import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue memory export`
struct MemoryExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Export memories as JSONL, optionally with vectors.",
        discussion: """
            Each line has text, namespace, key, metadata, importance and times, and can be read by `memory import`. --with-vectors adds \
            the vector to each line. --vectors writes a NumPy .npy file of float32 with a row for each line (zeros where there is no \
            vector). Files appear under their final names only when complete.

              agent-queue memory export > memories.jsonl
              agent-queue memory export --namespace notes --output notes.jsonl --vectors notes.npy
            """)

    @Option(name: .long, help: ArgumentHelp("Only this namespace.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace: String?

    @Option(
        name: .long, help: ArgumentHelp("Output file, or `-` for standard output.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var output = "-"

    @Flag(name: .long, help: "Include the vector in each line.")
    var withVectors = false

    @Option(
        name: .long, help: ArgumentHelp("Write the vectors to a NumPy file.", valueName: "file.npy"),
        completion: .file(extensions: ["npy"]))
    var vectors: String?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if withVectors, vectors != nil { throw ValidationError("--with-vectors and --vectors are mutually exclusive") }
    }

    func run() async throws {
        try await Session(global).withMemories { memories in
            let namespaces = try memories.namespaces(named: namespace)
            let dimension = try dimension(of: namespaces)
            let total = namespaces.reduce(0) { $0 + $1.memories }
            var lines = try LineSink(output)
            let rows = try vectors.map { path throws(InputError) in try VectorFileWriter(path: path) }
            var bar = ProgressBar("Exporting")
            defer { bar.clear() }
            var count = 0
            try await memories.export(namespace: namespace, withVectors: withVectors || vectors != nil) { stored in
                try lines.json(
                    withVectors ? MemoryJSON.memory(stored) : vectors != nil ? MemoryJSON.line(stored) : MemoryJSON.memory(stored.memory))
                try rows?.append(stored.vector, dimension: dimension)
                count += 1
                bar.update(count, of: max(count, total))
            }
            // Finished last, so that a complete file of lines implies complete vectors.
            try rows?.finish()
            try lines.finish()
            bar.clear()
            try report(count)
        }
    }

    /// The dimension that all namespaces share, because a NumPy file has rows of one length.
    private func dimension(of namespaces: [MemoryNamespace]) throws -> Int {
        guard vectors != nil else { return 0 }
        let dimensions = Set(namespaces.compactMap(\.space?.dimension)).sorted()
        guard dimensions.count <= 1 else {
            let lengths = dimensions.map(String.init).joined(separator: ", ")
            throw CommandFailure(.usage, "the namespaces have vectors of different dimensions (\(lengths)); choose one with --namespace")
        }
        guard let dimension = dimensions.first else {
            throw CommandFailure(.badInput, "there are no vectors to export; remove --vectors")
        }
        return dimension
    }

    private func report(_ count: Int) throws {
        let summary = "\(Figures.count(count, "memory", plural: "memories")) exported"
        guard output != "-" else { return Diagnostics.write(summary + "\n") }
        var report = Output()
        if format.json {
            try report.json(
                .object([
                    .init("memories", .integer(Int64(count))), .init("output", .string(output)), .init("vectors", JobJSON.string(vectors)),
                ]))
        } else {
            try report.line(summary)
        }
        try report.flush()
    }
}

/// Writes JSON lines to standard output, or to a file that gets its final name once it is complete.
struct LineSink {
    private var output = Output()
    private let file: PendingFile?

    /// - Parameter path: `-` is standard output.
    /// - Throws: `InputError` if the file cannot be created.
    init(_ path: String) throws(InputError) {
        file = path == "-" ? nil : try PendingFile(path: path)
    }

    /// Writes a value on its own line.
    mutating func json(_ value: JSONValue) throws {
        guard let file else { return try output.json(value) }
        var bytes: [UInt8] = []
        JSONText.write(value, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        try file.write(bytes)
    }

    mutating func finish() throws {
        try output.flush()
        try file?.finish()
    }
}
