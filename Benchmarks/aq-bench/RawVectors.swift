import Foundation

/// The vectors of a file: Float32, little-endian, row after row. The file is mapped, so that only what is looked at is in memory.
struct RawVectors {
    /// How many values a vector has.
    let dimension: Int
    private let bytes: Data

    /// Opens a file.
    init(path: String, dimension: Int) throws {
        self.dimension = dimension
        bytes = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    }

    /// How many there are.
    var count: Int { bytes.count / width }

    /// One of them.
    subscript(row: Int) -> [Float] {
        bytes.withUnsafeBytes { bytes in
            [Float](unsafeUninitializedCapacity: dimension) { values, count in
                UnsafeMutableRawBufferPointer(values).copyMemory(from: .init(rebasing: bytes[row * width..<(row + 1) * width]))
                count = dimension
            }
        }
    }

    private var width: Int { dimension * MemoryLayout<Float>.size }
}
