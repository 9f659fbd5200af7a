import JobModel
import QueueStore
import TestSupport

/// A memory that is known by a number and a version: two processes agree on its text and its vector without a word.
struct NumberedMemory: Sendable, Hashable {
    var number: Int
    var version = 0

    static let dimension = 48
    /// The vectors are nobody's: the tests bring them.
    static let model = VectorModel(target: "-")

    var key: String { "k\(number)" }
    var text: String { "memory \(number), version \(version)" }

    /// A direction of its own: no two are nearer than a right angle, give or take.
    var vector: [Float] {
        var generator = SeededGenerator(seed: UInt64(number) << 20 | UInt64(version))
        return (0..<Self.dimension).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    /// As it is stored.
    /// - Parameter isKeyed: whether the next version takes its place.
    func new(isKeyed: Bool) throws -> NewMemory {
        NewMemory(
            text, key: isKeyed ? key : nil, metadata: ["number": .integer(Int64(number)), "version": .integer(Int64(version))],
            vector: try MemoryVector(vector))
    }
}
