/// What survives a power cut.
public enum Durability: String, Sendable, CaseIterable {
    /// Every acknowledged change (`synchronous=FULL`: each commit waits for the disk). The default.
    case full
    /// Everything but perhaps the last moments (`synchronous=NORMAL`). Survives every crash of processes all the same.
    case normal
}
