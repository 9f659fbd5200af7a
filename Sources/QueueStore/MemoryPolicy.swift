/// How many memories are kept. Where there are more, the least important go first, of these the longest not recalled, then the oldest.
public struct MemoryPolicy: Sendable, Equatable {
    /// The most that a namespace holds.
    public struct Cap: Sendable, Equatable {
        /// Memories; nil is no bound.
        public var rows: Int?
        /// Their bytes: texts, metadata and vectors; nil is no bound.
        public var bytes: Int64?

        /// Makes a cap.
        public init(rows: Int? = nil, bytes: Int64? = nil) {
            self.rows = rows
            self.bytes = bytes
        }
    }

    /// The most bytes of all memories; nil is no bound.
    public var maxBytes: Int64?
    /// The caps of namespaces, by name.
    public var namespaces: [String: Cap]

    /// Makes a policy.
    public init(maxBytes: Int64? = nil, namespaces: [String: Cap] = [:]) {
        self.maxBytes = maxBytes
        self.namespaces = namespaces
    }
}
