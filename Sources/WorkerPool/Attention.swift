/// A reason to look again, from anywhere. However many come while the one who looks is busy, they are one.
struct Attention: Sendable {
    /// What the one who looks iterates over.
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks for a look.
    func call() { continuation.yield() }

    /// There will be no more.
    func finish() { continuation.finish() }
}
