extension VectorIndex {
    /// Tells of each place when its memory was made (wall clock, ms), and how much that matters.
    @inline(__always)
    func eachHead(_ body: (_ slot: Int, _ createdAt: Int64, _ importance: Float) -> Void) {
        for (index, chunk) in chunks.enumerated() {
            let (created, importances, start) = (chunk.created, chunk.importances, index * VectorChunk.capacity)
            for local in 0..<chunk.count { body(start + local, created[local], importances[local]) }
        }
    }
}
