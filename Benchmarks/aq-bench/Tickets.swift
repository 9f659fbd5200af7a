import Synchronization

/// Numbers from 0, each given out once.
final class Tickets: Sendable {
    private let next = Atomic<Int>(0)
    private let count: Int

    init(_ count: Int) { self.count = count }

    /// The next number; nil when all are given out.
    func take() -> Int? {
        let number = next.add(1, ordering: .relaxed).oldValue
        return number < count ? number : nil
    }
}
