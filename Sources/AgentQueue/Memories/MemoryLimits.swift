/// The bounds of what a memory may hold. What is longer is refused at the door, with a sentence.
public enum MemoryLimits {
    /// A text: 1 MiB.
    public static let maxTextBytes = 1 << 20
    /// Metadata, as JSON: 64 KiB.
    public static let maxMetadataBytes = 64 << 10
    /// The name of a namespace, in characters.
    public static let maxNamespaceLength = 128
    /// A key, in characters.
    public static let maxKeyLength = 512
    /// How long a memory may be kept where that is said: a hundred years, in ms.
    public static let maxTimeToLive: Int64 = 36_500 * 86_400_000
}
