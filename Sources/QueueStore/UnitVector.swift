/// A vector of length 1, as it is stored: Float32 values, little-endian.
struct UnitVector {
    /// Four bytes a value.
    let bytes: [UInt8]
    private let values: [Float]

    /// Brings a vector to length 1; nil where it has no direction: no values, nothing but zeros, or a value that is no number.
    init?(_ vector: [Float]) {
        let square = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard square > 0, square.isFinite else { return nil }
        let length = square.squareRoot()
        values = vector.map { Float(Double($0) / length) }
        bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    }

    /// The cosine with a stored vector, from -1 to 1; nil where that has another number of values.
    func cosine(_ stored: UnsafeRawBufferPointer) -> Double? {
        guard stored.count == bytes.count else { return nil }
        // Eight sums that do not wait for each other.
        var sums = SIMD8<Float>()
        var index = 0
        while index + 8 <= values.count {
            var lanes = SIMD8<Float>()
            var others = SIMD8<Float>()
            for lane in 0..<8 {
                lanes[lane] = values[index + lane]
                others[lane] = Self.value(index + lane, of: stored)
            }
            sums += lanes * others
            index += 8
        }
        var sum = sums.sum()
        while index < values.count {
            sum += values[index] * Self.value(index, of: stored)
            index += 1
        }
        return min(1, max(-1, Double(sum)))
    }

    private static func value(_ index: Int, of stored: UnsafeRawBufferPointer) -> Float {
        Float(bitPattern: UInt32(littleEndian: stored.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
    }
}
