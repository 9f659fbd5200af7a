import CPlatform

/// A vector as the store keeps it: the exact values, and a byte a dimension for the scan, with the bound of what these lack.
///
/// With `u` the vector brought to length 1: `u[i] = scale * (codes[i] - 128) + r[i]`, where the length of `r` is at most `error`.
public struct MemoryVector: Sendable, Equatable {
    /// The most values of a vector.
    public static let maxDimension = 4_096

    /// The values as they were given: Float32, little-endian.
    public let bytes: [UInt8]
    /// A byte a dimension: 128 and the steps of `scale`, -127 to 127.
    public let codes: [UInt8]
    /// The length of a step.
    public let scale: Float
    /// The most that the codes lack of the vector of length 1.
    public let error: Float
    /// The length.
    public let norm: Float

    /// How many values it has.
    public var dimension: Int { codes.count }

    /// Checks and quantises a vector.
    /// - Throws: `VectorError`.
    public init(_ values: [Float]) throws(VectorError) {
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
