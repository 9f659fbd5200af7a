import CPlatform
import CReference
import QueueStore

@testable import VectorMemory

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
