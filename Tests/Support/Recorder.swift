import Synchronization

/// What came, one after the other, from whatever task it came. A test can wait until there is enough of it.
public final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let counter = Counter()

    /// Nothing has come yet.
    public init() {}

    /// Everything so far, in its order.
    public var all: [Element] { elements.withLock(\.self) }

    /// Takes in one more.
    @Sendable public func add(_ element: Element) {
        elements.withLock { $0.append(element) }
        counter.add()
    }

    /// Waits until so many have come.
    /// - Throws: `CancellationError`.
    public func wait(atLeast count: Int) async throws { try await counter.wait(atLeast: count) }
}

extension Recorder where Element == String {
    /// All texts in one.
    public var text: String { all.joined() }
}
