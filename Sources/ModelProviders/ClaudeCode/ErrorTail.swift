import Synchronization

/// The end of what a program writes on standard error: its last words are why it failed.
final class ErrorTail: Sendable {
    private let kept = Mutex<[UInt8]>([])
    private let maxBytes: Int

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    /// What is kept.
    var text: String { String(decoding: kept.withLock { $0 }, as: UTF8.self) }

    /// Takes the next bytes.
    func append(_ bytes: [UInt8]) {
        kept.withLock { kept in
            kept.append(contentsOf: bytes.suffix(maxBytes))
            if kept.count > maxBytes { kept.removeFirst(kept.count - maxBytes) }
        }
    }
}
