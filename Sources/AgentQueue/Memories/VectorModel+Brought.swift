import QueueStore

extension VectorModel {
    /// For vectors that the user brings.
    public static let brought = VectorModel(target: "-")
}
