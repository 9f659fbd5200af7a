import NIOCore

/// A request's body that notes when an open connection begins to take it.
struct WatchedBody: AsyncSequence, Sendable {
    let bytes: ByteBuffer
    let progress: SendProgress

    struct Iterator: AsyncIteratorProtocol {
        var bytes: ByteBuffer?
        let progress: SendProgress

        mutating func next() async -> ByteBuffer? {
            progress.begin()
            defer { bytes = nil }
            return bytes
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(bytes: bytes, progress: progress) }
}
