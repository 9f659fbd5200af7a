import QueueStore
import Settings
import VectorMemory

extension MemorySnapshot {
    /// The namespace of a name.
    /// - Throws: `MemoryError` where there is none, with the name that may have been meant.
    func existing(_ name: String) throws -> MemoryNamespace {
        if let namespace = try namespace(named: name) { return namespace }
        let names = try namespaces().map(\.name)
        let hint = names.isEmpty ? " (there is none yet)" : Suggestion.hint(for: name, in: names)
        throw MemoryError("there is no namespace \(InvalidText.quoted(name))\(hint)")
    }
}
