/// `durability:` — what a commit survives.
public enum DurabilityLevel: String, CaseIterable, Sendable {
    /// A commit survives a power cut (SQLite `synchronous=FULL`). The default.
    case full
    /// A commit survives the death of the process; a power cut may lose the latest ones, never the file's integrity.
    case normal
}
