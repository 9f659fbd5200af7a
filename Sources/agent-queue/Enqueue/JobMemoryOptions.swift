import AgentQueue
import ArgumentParser
import JobModel

/// What a job has to do with memories. With `--jsonl`, what holds for lines that do not say otherwise.
struct JobMemoryOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Put up to so many memories that are near the prompt before it, 1 to 100; `show` says which.", valueName: "n"))
    var recall: Int?

    @Flag(name: .long, help: "Remember the answer, in the (first) namespace.")
    var remember = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where texts and answers are remembered, and memories are looked for; may be repeated for the latter. Default: default.",
            valueName: "name"), transform: NamespaceOption.parseSeveral)
    var namespace: [NamespaceOption.NameList] = []

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("With --memorize: how much the texts matter, 0 to 1. Default: 0.5.", valueName: "x"))
    var importance: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --memorize: how long they are kept: 30d, or never to forget them. Default: `memory.retention`.", valueName: "duration"))
    var ttl: String?

    /// Puts the options into a draft.
    ///
    /// - Throws: `InputError`.
    func apply(to draft: inout JobDraft) throws {
        draft.namespaces = namespace.flatMap(\.names)
        draft.importance = importance
        draft.expiry =
            switch ttl {
            case nil: .usual
            case "never": .never
            case let text?: .after(try JobText.milliseconds(text, named: "--ttl"))
            }
        draft.recall = recall
        draft.remembers = remember
    }
}
