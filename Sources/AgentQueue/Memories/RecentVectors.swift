import QueueStore

/// The vectors of the texts of this slice and the one before it: that one may still be on its way into the database, so that only this
/// knows that a text need not be embedded again.
struct RecentVectors {
    // By their bytes: two spellings of the same letter are different texts to a model.
    private var before: [[UInt8]: MemoryVector] = [:]
    private var now: [[UInt8]: MemoryVector] = [:]

    /// Begins the next slice.
    mutating func turn() {
        before = now
        now = [:]
    }

    /// Those of the texts that have no vector here, each once.
    func unknown(_ texts: [String]) -> [String] {
        var seen: Set<[UInt8]> = []
        return texts.filter { text in
            let bytes = Array(text.utf8)
            return now[bytes] == nil && before[bytes] == nil && seen.insert(bytes).inserted
        }
    }

    mutating func add(_ vector: MemoryVector, of text: String) { now[Array(text.utf8)] = vector }

    func vector(of text: String) -> MemoryVector? {
        let bytes = Array(text.utf8)
        return now[bytes] ?? before[bytes]
    }
}
