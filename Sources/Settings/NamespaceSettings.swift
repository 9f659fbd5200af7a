/// `memory.namespaces.<name>:` — what holds for the memories of one namespace. Nil is what `memory:` says.
public struct NamespaceSettings: Equatable, Sendable {
    /// Most memories before `prune` removes the least important. 1 to 1 billion.
    public var maxRows: Int?
    /// Most bytes of memories before `prune` removes the least important. 1 MiB to 1024 TiB.
    public var maxBytes: Int64?
    /// How long a memory is kept when it does not say itself. 1 min to 36500 days.
    public var retention: Duration?

    /// Nothing said.
    public init() {}

    /// The longest name of a namespace, in characters.
    static let maxNameLength = 128

    /// Whether a namespace may have a name: 1 to 128 characters, no control characters among them.
    static func isName(_ name: String) -> Bool {
        (1...maxNameLength).contains(name.count) && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
