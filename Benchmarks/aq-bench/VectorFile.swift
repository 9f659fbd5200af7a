import ArgumentParser
import CPlatform
import Glibc

/// Vectors in a file: Float32, little-endian, one after the other. Mapped, for as long as the process runs.
struct VectorFile {
    let dimension: Int
    let count: Int
    private let values: UnsafePointer<Float>

    init(_ path: String, dimension: Int) throws {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let bytes = descriptor < 0 ? 0 : Int(lseek(descriptor, 0, SEEK_END))
        let stride = dimension * MemoryLayout<Float>.size
        guard dimension > 0, bytes >= stride, bytes % stride == 0,
            let start = mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED
        else { throw ValidationError("\(path) does not hold vectors of \(dimension) values") }
        self.dimension = dimension
        count = bytes / stride
        values = UnsafePointer(start.bindMemory(to: Float.self, capacity: count * dimension))
    }

    /// Where one begins.
    func pointer(_ row: Int) -> UnsafePointer<Float> { values + row * dimension }

    subscript(_ row: Int) -> [Float] { Array(UnsafeBufferPointer(start: pointer(row), count: dimension)) }

    /// Gives the exact vectors of entries, whose numbers are those of the rows from 1.
    func exact(_ numbers: [Int64], _ body: (Int, UnsafeRawBufferPointer) throws -> Void) throws {
        for (place, number) in numbers.enumerated() {
            try body(place, UnsafeRawBufferPointer(start: pointer(Int(number) - 1), count: dimension * MemoryLayout<Float>.size))
        }
    }

    /// The rows that are nearest by cosine, of the first so many, in 64-bit floats.
    func nearest(_ query: [Float], _ rows: Int, _ limit: Int) -> Set<Int> {
        var best: [(score: Double, row: Int)] = []
        for row in 0..<rows {
            var (dot, square, difference) = (0.0, 0.0, 0.0)
            vectors_compare(query, pointer(row), dimension, &dot, &square, &difference)
            let score = dot / square.squareRoot()
            if best.count == limit, let last = best.last, score <= last.score { continue }
            let place = best.firstIndex { $0.score < score } ?? best.count
            best.insert((score, row), at: place)
            if best.count > limit { best.removeLast() }
        }
        return Set(best.map(\.row))
    }
}
