/// The bounds of what a job may hold. What is longer is refused at the door, with a sentence.
public enum JobLimits {
    /// A prompt, a system text or an embedding input: 16 MiB.
    public static let maxPromptBytes = 16 << 20
    /// A whole request, canonical: 24 MiB.
    public static let maxRequestBytes = 24 << 20
    /// A reply as stored: 64 MiB.
    public static let maxReplyBytes = 64 << 20
    /// Metadata, as JSON: 64 KiB.
    public static let maxMetadataBytes = 64 << 10
    /// Tags on one job.
    public static let maxTags = 32
    /// A tag or a queue's name, in bytes.
    public static let maxNameBytes = 128
    /// A batch's name or a `custom_id`, in bytes.
    public static let maxBatchNameBytes = 256
    /// A unique key, in bytes.
    public static let maxUniqueKeyBytes = 512
    /// Jobs that one job may wait for.
    public static let maxDependencies = 1_000
    /// Texts in one `embed` job.
    public static let maxEmbedInputs = 2_048
    /// Attempts.
    public static let attempts = 1...1_000
    /// Priorities; lower runs first.
    public static let priorities = 1...9
    /// How far ahead a job may be scheduled, and how long it may take to expire or time out: ten years, in ms.
    public static let maxHorizonMilliseconds: Int64 = 10 * 366 * 86_400_000
}
