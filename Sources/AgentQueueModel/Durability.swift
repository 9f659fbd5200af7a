/// What a commit survives: `durability` in the configuration.
package enum Durability: String, Sendable, CaseIterable {
    /// A power cut: each commit waits for the disk (SQLite's `synchronous=FULL`). The default.
    case full
    /// The death of a process. A power cut may lose the latest commits, but never damages the file (`synchronous=NORMAL`).
    case normal
}
