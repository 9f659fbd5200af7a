import AgentQueue
import ArgumentParser
import JobModel
import Settings

/// `agent-queue memory import`
struct MemoryImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read memories from JSON lines, such as those of an export.",
        discussion: """
            Lines are as for `memory store --jsonl`, and all are checked before anything is stored. Vectors that a line brings, or \
            the .npy file of --vectors (float32 or float64, a row for each line), are taken as they are, and nothing is paid for them. \
            A line says what made its vector ("model"), and --model says it for lines that do not; else they count as your own. A text \
            without a vector is embedded. Numbers of memories are given anew. What has expired is passed over.

              agent-queue memory import memories.jsonl
              agent-queue memory import notes.jsonl --vectors notes.npy --namespace notes-2
              agent-queue memory import wiki.jsonl --vectors wiki.npy --model openai/text-embedding-3-small
            """)

    @Argument(
        help: ArgumentHelp("The lines; `-` reads standard input.", valueName: "file"), completion: .file(extensions: ["jsonl", "ndjson"]))
    var file: String

    @Option(
        name: .long, help: ArgumentHelp("Where all of them go, instead of the namespaces that the lines name.", valueName: "name"),
        transform: NamespaceOption.parse)
    var namespace: String?

    @Option(
        name: .long, help: ArgumentHelp("The vectors of the lines, from NumPy.", valueName: "file.npy"),
        completion: .file(extensions: ["npy"]))
    var vectors: String?

    @Option(name: .long, help: ArgumentHelp("What made vectors whose lines do not say it.", valueName: "provider/model"))
    var model: String?

    @Flag(name: .long, help: "Pass over vectors, and have the configured model embed every text.")
    var embed = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if embed, vectors != nil || model != nil {
            throw ValidationError("--embed makes all vectors anew, so it goes without --vectors and --model")
        }
        if let model, Target(model) == nil {
            throw ValidationError("--model: \(InvalidText.quoted(model)) is not a target (write provider/model)")
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
        var output = Output()
        if format.json {
            try output.json(receipts.json(expired: survey.expired))
        } else {
            try output.line(
                receipts.summary + (survey.expired > 0 ? ", \(Figures.count(survey.expired)) passed over that had expired" : ""))
        }
        try output.flush()
    }
}
