import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue memory import`
struct MemoryImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import memories from JSONL.",
        discussion: """
            Takes the same lines as `memory store --jsonl`, and checks all of them before storing any. Vectors in the lines or in the \
            NumPy file of --vectors (float32 or float64, a row for each line) are stored as they are, at no cost. The "model" of a \
            line names the model of its vector, and --model does for lines without one; otherwise vectors count as your own. Texts \
            without a vector are embedded. Memories get new IDs. Expired memories are skipped.

              agent-queue memory import memories.jsonl
              agent-queue memory import notes.jsonl --vectors notes.npy --namespace notes-2
              agent-queue memory import wiki.jsonl --vectors wiki.npy --model openai/text-embedding-3-small
            """)

    @Argument(
        help: ArgumentHelp("JSONL file, or `-` for standard input.", valueName: "file"), completion: .file(extensions: ["jsonl", "ndjson"]))
    var file: String

    @Option(
        name: .long, help: ArgumentHelp("Store everything in this namespace instead of those in the lines.", valueName: "name"),
        transform: NamespaceOption.parse)
    var namespace: String?

    @Option(
        name: .long, help: ArgumentHelp("Read the vectors from a NumPy file.", valueName: "file.npy"),
        completion: .file(extensions: ["npy"]))
    var vectors: String?

    @Option(name: .long, help: ArgumentHelp("Model of vectors whose lines do not name one.", valueName: "provider/model"))
    var model: String?

    @Flag(name: .long, help: "Ignore vectors and embed every text with the configured model.")
    var embed = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if embed, vectors != nil || model != nil {
            throw ValidationError("--embed cannot be combined with --vectors or --model")
        }
        if let model, Target(model) == nil {
            throw ValidationError("--model: \(InvalidText.quoted(model)) is not a model (use provider/model)")
        }
    }

    func run() async throws {
        var options = BulkMemoryOptions()
        if let namespace {
            options.namespace = namespace
            options.overridesNamespaces = true
        }
        options.model = model
        options.embedsAgain = embed
        options.skipsExpired = true
        var receipts = MemoryReceipts(nil)
        let run = MemoryBulkRun(path: file, vectors: vectors, options: options, session: try Session(global))
        let survey = try await run.run(&receipts)
        try format.print(
            receipts.json(expired: survey.expired),
            line: receipts.summary + (survey.expired > 0 ? ", \(Figures.count(survey.expired)) expired and skipped" : ""))
    }
}

/// Stores memories from a JSONL file, after checking every line.
struct MemoryBulkRun {
    /// The file; `-` is standard input.
    let path: String
    /// The NumPy file with the vectors; nil if they are in the lines or absent.
    var vectors: String?
    let options: BulkMemoryOptions
    let session: Session

    /// Stores them, with a progress bar.
    ///
    /// - Throws: `InputError` with the file name; `CommandFailure` if it fails halfway.
    func run(_ receipts: inout MemoryReceipts) async throws -> BulkMemorySurvey {
        var taken = receipts
        defer { receipts = taken }
        return try await session.withMemories(createsFile: true) { memories in
            // Opened here: input from a pipe is spooled into the database's folder, which opening creates.
            let input = try BulkFile.input(path, session)
            let rows = try vectors.map { path throws(InputError) in try VectorFile(path: path) }
            let run = BulkMemories(input: input, vectors: rows, options: options, memories: memories)
            let survey = try await check(run, input.name)
            var bar = ProgressBar("Storing")
            defer { bar.clear() }
            do {
                bar.update(0, of: survey.memories)
                try await run.store(survey) { results in
                    taken.take(results)
                    bar.update(taken.total, of: survey.memories)
                }
            } catch {
                throw taken.interrupted(by: error)
            }
            return survey
        }
    }

    private func check(_ run: BulkMemories, _ name: String) async throws -> BulkMemorySurvey {
        var bar = ProgressBar("Checking")
        defer { bar.clear() }
        do {
            return try await run.check { lines in bar.update(lines, of: nil) }
        } catch let error as InputError {
            throw InputError("\(name): \(error.message); nothing stored", kind: error.kind)
        }
    }
}

/// Counts stored memories and prints their IDs.
struct MemoryReceipts {
    private(set) var stored = 0
    private(set) var updated = 0
    private(set) var duplicates = 0
    private var expiring = 0
    /// When the first of them expires.
    private var firstExpiry = Int64.max
    /// How to print each memory; nil for not at all.
    let print: Form?
    private var output = Output()
    private var failure: (any Error)?

    enum Form {
        case numbers
        case json
    }

    init(_ print: Form?) { self.print = print }

    var total: Int { stored + updated + duplicates }

    /// A closed pipe or a full disk stops the printing, but not the storing.
    mutating func take(_ receipts: [StoreOutcome]) {
        for receipt in receipts {
            if let expiry = receipt.expiresAt {
                expiring += 1
                firstExpiry = min(firstExpiry, expiry)
            }
            switch receipt.outcome {
            case .stored: stored += 1
            case .updated: updated += 1
            case .duplicate: duplicates += 1
            }
        }
        guard let print, failure == nil else { return }
        do {
            for receipt in receipts {
                try print == .json ? output.json(Self.json(receipt)) : output.line("\(receipt.id)")
            }
            // Flushed after each commit, so that exactly what is committed is printed, even if the rest fails.
            try output.flush()
        } catch {
            failure = error
        }
    }

    /// - Throws: The error that stopped the printing, unless the pipe was closed.
    func finish() throws {
        if let failure, !(failure is OutputClosed) { throw failure }
    }

    func json(expired: Int) -> JSONValue {
        .object([
            .init("stored", .integer(Int64(stored))), .init("updated", .integer(Int64(updated))),
            .init("duplicates", .integer(Int64(duplicates))), .init("expired", .integer(Int64(expired))),
        ])
    }

    /// Such as `3 memories stored, 1 updated, 2 already existed`.
    var summary: String {
        var text = "\(Figures.count(stored, "memory", plural: "memories")) stored"
        if updated > 0 { text += ", \(Figures.count(updated)) updated" }
        if duplicates > 0 { text += ", \(Figures.count(duplicates)) already existed" }
        return expirySentence.map { "\(text); \($0)" } ?? text
    }

    /// Such as `2 memories expire, the first on 2026-12-30 09:00:00 UTC (in 30d)`; nil if none does.
    var expirySentence: String? {
        guard expiring > 0 else { return nil }
        let when = Figures.time(firstExpiry, now: Now.milliseconds)
        if total == 1 { return "it expires on \(when)" }
        return "\(Figures.count(expiring, "memory expires", plural: "memories expire")), the first on \(when)"
    }

    /// Adds to an error how much had been stored before it.
    func interrupted(by error: any Error) -> any Error {
        guard total > 0, let verdict = FailureReport.verdict(on: error), let status = ExitStatus(rawValue: verdict.code) else {
            return error
        }
        let before = Figures.count(total, "memory", plural: "memories")
        return CommandFailure(status, "\(verdict.message); \(before) had been stored; run the same command again to continue")
    }

    private static func json(_ receipt: StoreOutcome) -> JSONValue {
        .object([
            .init("id", .integer(receipt.id)), .init("outcome", .string(receipt.outcome.rawValue)),
            .init("expires_at", JobJSON.time(receipt.expiresAt)),
        ])
    }
}
