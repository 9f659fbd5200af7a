import CAgentQueue

/// A vector as the store keeps it: the exact values, and one byte per dimension for scanning, with a bound of the quantization error.
///
/// With `u` the vector normalized to length 1: `u[i] = scale * (codes[i] - 128) + r[i]`, where the length of `r` is at most `error`.
package struct MemoryVector: Sendable, Equatable {
    package static let maxDimension = 4_096

    /// The values as given: Float32, little-endian.
    package let bytes: [UInt8]
    /// One byte per dimension: 128 plus the number of steps of `scale`, -127 to 127.
    package let codes: [UInt8]
    /// The size of a step.
    package let scale: Float
    /// The upper bound of the quantization error of the normalized vector.
    package let error: Float
    /// The vector's length (Euclidean norm) before normalization.
    package let norm: Float

    /// The number of values.
    package var dimension: Int { codes.count }

    /// Checks and quantizes a vector.
    /// - Throws: `VectorError`.
    package init(_ values: [Float]) throws(VectorError) {
        guard !values.isEmpty else { throw .empty }
        guard values.count <= Self.maxDimension else { throw .tooLong(values.count) }
        var quantization = vectors_quantization()
        let codes = [UInt8](unsafeUninitializedCapacity: values.count) { codes, count in
            count = vectors_quantize(values, values.count, codes.baseAddress, &quantization) ? values.count : 0
        }
        guard !codes.isEmpty else {
            if let index = values.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index) }
            throw .noDirection
        }
        self.codes = codes
        scale = quantization.scale
        error = quantization.error
        norm = quantization.norm
        bytes = values.withUnsafeBytes { Array($0) }
    }
}

/// Why a list of numbers cannot be stored or searched for as a vector.
package enum VectorError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It has no values.
    case empty
    /// It has more than 4,096 values.
    case tooLong(Int)
    /// The value at this index, from 0, is NaN or infinite.
    case notFinite(Int)
    /// All values are zero, or its length exceeds the range of Float32.
    case noDirection
    /// Its dimension differs from that of the vectors it is compared with.
    case wrongDimension(Int, expected: Int)

    /// One sentence.
    package var description: String {
        switch self {
        case .empty: "the vector has no values"
        case .tooLong(let count): "the vector has \(count) values (at most \(MemoryVector.maxDimension))"
        case .notFinite(let index): "value \(index + 1) of the vector is not a finite number"
        case .noDirection: "the vector has no direction: it is all zeros, or too long or short for Float32"
        case .wrongDimension(let count, let expected): "the vector has \(count) values, and those that it is compared with \(expected)"
        }
    }
}
