import NIOCore

/// A request's body that notes when an open connection begins to take it. It goes out in pieces, so that a large one is not held twice.
struct WatchedBody: AsyncSequence, Sendable {
    let bytes: [UInt8]
    let progress: SendProgress

    /// The largest piece, in bytes.
    private static let pieceBytes = 1 << 20

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<UInt8>
        let progress: SendProgress

        mutating func next() async -> ByteBuffer? {
            progress.begin()
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(WatchedBody.pieceBytes) }
            return ByteBuffer(bytes: rest.prefix(WatchedBody.pieceBytes))
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(rest: bytes[...], progress: progress) }
}
