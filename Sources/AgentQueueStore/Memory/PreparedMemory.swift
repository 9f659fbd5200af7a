import AgentQueueModel
import Crypto

/// A memory to store, checked, with canonical metadata and the digest that finds identical ones.
struct PreparedMemory: Sendable {
    var key: String?
    var text: String
    /// A JSON object in canonical form.
    var metadata: String?
    /// Finds memories that may be identical; it proves nothing.
    var digest: Int64
    var importance: Double
    /// Wall clock, ms; nil is now.
    var createdAt: Int64?
    /// Wall clock, ms; nil is never.
    var expiresAt: Int64?
    /// Wall clock, ms; nil is never.
    var recalledAt: Int64?
    var vector: MemoryVector?
    /// Whether the vector is part of the memory's identity: if there is no text, or the user supplies the vectors.
    var vectorCounts: Bool

    static let maxTextBytes = 1 << 20
    static let maxMetadataBytes = 1 << 20

    /// Checks and prepares memories.
    /// - Throws: `StoreError`; `conflict`, naming the first that is refused by its position, from 1.
    static func all(_ memories: [NewMemory], in namespace: String, model: VectorModel?) throws(StoreError) -> [PreparedMemory] {
        try checkName(namespace)
        guard memories.count <= 10_000 else {
            throw StoreError(.conflict, "\(memories.count) memories are too many for one transaction (at most 10000)")
        }
        var prepared: [PreparedMemory] = []
        prepared.reserveCapacity(memories.count)
        for (index, memory) in memories.enumerated() { prepared.append(try PreparedMemory(memory, place: index + 1, model: model)) }
        guard let dimension = prepared.lazy.compactMap(\.vector?.dimension).first else { return prepared }
        guard model != nil else { throw StoreError(.conflict, "vectors are stored with the name of what made them") }
        if let other = prepared.firstIndex(where: { ($0.vector?.dimension ?? dimension) != dimension }) {
            throw StoreError(
                .conflict,
                "memory \(other + 1): its vector has \(prepared[other].vector?.dimension ?? 0) values, the first one's \(dimension)")
        }
        return prepared
    }

    private init(_ memory: NewMemory, place: Int, model: VectorModel?) throws(StoreError) {
        func refuse(_ sentence: String) -> StoreError { StoreError(.conflict, "memory \(place): \(sentence)") }
        if let key = memory.key, !(1...512).contains(key.unicodeScalars.count) || key.unicodeScalars.contains(where: \.isControl) {
            throw refuse("a key has 1 to 512 characters, and no control characters")
        }
        guard memory.text.utf8.count <= Self.maxTextBytes else { throw refuse("the text is longer than 1 MiB") }
        guard !memory.text.isEmpty || memory.vector != nil else { throw refuse("it has neither a text nor a vector") }
        guard (0...1).contains(memory.importance) else { throw refuse("the importance must be between 0 and 1") }
        key = memory.key
        text = memory.text
        if let metadata = memory.metadata, !metadata.isNull {
            guard metadata.members != nil else { throw refuse("the metadata must be a JSON object, not \(metadata.kindName)") }
            let canonical = metadata.canonicalText
            guard canonical.utf8.count <= Self.maxMetadataBytes else { throw refuse("the metadata is longer than 1 MiB") }
            self.metadata = canonical
        }
        importance = memory.importance
        createdAt = memory.createdAt
        expiresAt = memory.expiresAt == .max ? nil : memory.expiresAt
        recalledAt = memory.recalledAt
        vector = memory.vector
        vectorCounts = memory.text.isEmpty || model?.target == VectorModel.brought
        digest = Self.digest(text, metadata, vectorCounts ? vector : nil)
    }

    private static func digest(_ text: String, _ metadata: String?, _ vector: MemoryVector?) -> Int64 {
        var hash = SHA256()
        func add(_ text: String) {
            var text = text
            text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        }
        add(text)
        hash.update(data: [0])
        if let metadata { add(metadata) }
        if let vector {
            hash.update(data: [0])
            vector.bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        return hash.finalize().withUnsafeBytes { Int64(bitPattern: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self))) }
    }

    /// The bytes it counts for: its text, metadata and key, a Float32 and a code per value of its vector, and 200 for its row, its index
    /// entries and its entry's head.
    static func bytes(text: String, metadata: String?, key: String?, dimension: Int) -> Int64 {
        Int64(text.utf8.count + (metadata?.utf8.count ?? 0) + (key?.utf8.count ?? 0) + 5 * dimension + 200)
    }

    static func checkName(_ name: String) throws(StoreError) {
        guard (1...128).contains(name.unicodeScalars.count), !name.unicodeScalars.contains(where: \.isControl) else {
            throw StoreError(.conflict, "a namespace's name has 1 to 128 characters, and no control characters")
        }
    }
}

extension Unicode.Scalar {
    /// Whether it is a C0 or C1 control character or a line separator.
    fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) || value == 0x2028 || value == 0x2029 }
}
