import AgentQueueStore
import AgentQueueTestSupport
import CAgentQueue
import CAgentQueueReference

@testable import AgentQueueMemory

/// Vectors to search, one after the other in memory.
final class VectorSet {
    let count: Int
    let dimension: Int
    let values: UnsafeMutablePointer<Float>
    /// The squares of their lengths.
    let squares: [Double]

    private init(count: Int, dimension: Int, _ make: (UnsafeMutablePointer<Float>) -> Void) {
        let values = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count * dimension))
        make(values)
        squares = [Double](unsafeUninitializedCapacity: count) { squares, filled in
            reference_squares(values, count, dimension, squares.baseAddress)
            filled = count
        }
        (self.count, self.dimension, self.values) = (count, dimension, values)
    }

    deinit { values.deallocate() }

    /// As embeddings of texts lie.
    static func clusters(_ count: Int, _ dimension: Int, centres: Int = 200, spread: Float = 1, stream: UInt64 = 0) -> VectorSet {
        VectorSet(count: count, dimension: dimension) { reference_clusters(7, stream, count, dimension, centres, spread, $0) }
    }

    /// In all directions alike.
    static func normal(_ count: Int, _ dimension: Int, seed: UInt64 = 1) -> VectorSet {
        VectorSet(count: count, dimension: dimension) { reference_normal(seed, count, dimension, $0) }
    }

    /// Those given, of one dimension.
    convenience init(_ vectors: [[Float]]) {
        self.init(count: vectors.count, dimension: vectors.first?.count ?? 1) { values in
            for (index, value) in vectors.joined().enumerated() { values[index] = value }
        }
    }

    /// One of them.
    subscript(_ row: Int) -> [Float] { Array(UnsafeBufferPointer(start: values + row * dimension, count: dimension)) }

    /// The bytes of one of them.
    func bytes(_ row: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: values + row * dimension, count: dimension * 4) }

    /// The 64-bit dot products of all with a query.
    func dots(_ query: [Float]) -> [Double] {
        [Double](unsafeUninitializedCapacity: count) { dots, filled in
            reference_dots(values, count, dimension, query, dots.baseAddress)
            filled = count
        }
    }

    /// The best rows for a query, by brute force.
    func best(
        _ metric: VectorMetric, _ query: [Float], _ dots: [Double], allowed: [UInt8]? = nil, bonus: [Float]? = nil, limit: Int
    ) -> [(row: Int, score: Double)] {
        var rows = [UInt32](repeating: 0, count: limit)
        var scores = [Double](repeating: 0, count: limit)
        let square = query.reduce(0.0) { $0 + Double($1) * Double($1) }
        let found = reference_best(metric.reference, dots, squares, square, allowed, bonus, count, limit, &rows, &scores)
        return (0..<found).map { (Int(rows[$0]), scores[$0]) }
    }
}

extension VectorMetric {
    var reference: reference_metric {
        switch self {
        case .cosine: .cosine
        case .dot: .dot
        case .euclidean: .euclidean
        }
    }
}

/// Kinds of vectors that bounds could get wrong.
enum HardVectors: CaseIterable {
    case normal
    case clusters
    case tiny
    case huge
    case oneDominates
    case fewValues
    case sameEverywhere
    case nearlyAlike
    case opposite

    func make(_ count: Int, _ dimension: Int, seed: UInt64 = 1) -> [[Float]] {
        var chance = SeededGenerator(seed: seed)
        func any() -> Float { Float.random(in: -1...1, using: &chance) }
        return (0..<count).map { row in
            switch self {
            case .normal, .clusters: (0..<dimension).map { _ in any() + (self == .clusters ? Float(row % 3) : 0) }
            case .tiny: (0..<dimension).map { _ in (any() + 0.01) * 1e-34 }
            case .huge: (0..<dimension).map { _ in (any() + 0.01) * 1e36 }
            case .oneDominates: (0..<dimension).map { $0 == row % dimension ? 1 : any() * 1e-3 }
            case .fewValues: (0..<dimension).map { $0 == row % dimension ? 1 : Int.random(in: 0..<20, using: &chance) == 0 ? any() : 0 }
            case .sameEverywhere: (0..<dimension).map { _ in row % 2 == 0 ? 1 : -1 }
            case .nearlyAlike: (0..<dimension).map { Float($0 % 7 + 1) + any() * 1e-4 }
            case .opposite: (0..<dimension).map { (row % 2 == 0 ? 1 : -1) * (Float($0 % 5 + 1) + any() * 0.1) }
            }
        }
    }
}
