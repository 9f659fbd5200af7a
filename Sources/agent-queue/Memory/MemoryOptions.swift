import AgentQueue
import ArgumentParser
import JobModel

/// What can be said about a memory besides its text. With `--jsonl`, what holds for lines that do not say otherwise.
struct MemoryOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Where it belongs. Default: default.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace = NamespaceName.usual

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Data of your own, kept with it and good for --where; may be repeated. A whole JSON object, too: '{\"score\": 3}'.",
            valueName: "key=value"))
    var metadata: [String] = []

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How much it matters, 0 to 1. Default: 0.5.", valueName: "x"))
    var importance: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How long it is kept: 30d, or never to forget it. Default: `memory.retention`.", valueName: "duration"))
    var ttl: String?

    /// The data as one object; nil where there is none.
    ///
    /// - Throws: `InputError`.
    func metadataObject() throws -> JSONValue? {
        guard let first = metadata.first, first.hasPrefix("{") else { return try JobText.metadata(metadata) }
        guard metadata.count == 1 else {
            throw InputError("--metadata is given as one JSON object, or as key=value, not as both", exit: .usage)
        }
        do {
            return try JSONValue.parse(first)
        } catch {
            throw InputError("--metadata is \(error.description)", exit: .usage)
        }
    }

    /// How long it is kept.
    ///
    /// - Throws: `InputError`.
    func expiry() throws -> MemoryExpiry {
        switch ttl {
        case nil: .usual
        case "never": .never
        case let text?: .after(try JobText.milliseconds(text, named: "--ttl"))
        }
    }
}
