/// One request of a batch.
public struct BatchItem: Sendable, Equatable {
    /// Its name in the batch: 1 to 64 of ASCII letters, digits, `-` and `_`.
    public var id: String
    /// What is asked.
    public var request: ModelRequest

    /// Makes an item.
    public init(id: String, request: ModelRequest) {
        self.id = id
        self.request = request
    }
}
