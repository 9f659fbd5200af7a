import ArgumentParser

/// The options that every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The database.", discussion: "Else AGENT_QUEUE_DATABASE, else `database:` of the configuration, else your data folder.",
            valueName: "file"),
        completion: .file())
    var database: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The configuration.", discussion: "Else AGENT_QUEUE_CONFIG, else ./agent-queue.yaml, else your configuration folder's.",
            valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?
}
