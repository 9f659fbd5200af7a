import AgentQueue
import ArgumentParser
import Settings

/// Memories by their keys.
struct MemoryKeyOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The memory of this key; may be repeated.", valueName: "key"))
    var key: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("The namespace. Default for --key: default.", valueName: "name"), transform: NamespaceOption.parse)
    var namespace: String?

    /// The memories' numbers, nil where there is none, with what to call each.
    ///
    /// - Throws: `MemoryError`, `StoreError`.
    func ids(_ memories: Memories) throws -> [(Int64?, String)] {
        try key.map { key in
            (try memories.id(key: key, in: namespace ?? NamespaceName.usual), "with the key \(InvalidText.quoted(key))")
        }
    }
}
