/// A vector of length 1, as it is stored: Float32 values, little-endian.
struct UnitVector {
    /// Four bytes a value.
    let bytes: [UInt8]

    /// Brings a vector to length 1; nil where it has no direction: no values, nothing but zeros, or a value that is no number.
    init?(_ vector: [Float]) {
        let square = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard square > 0, square.isFinite else { return nil }
        let length = square.squareRoot()
        bytes = vector.flatMap { value in withUnsafeBytes(of: Float(Double(value) / length).bitPattern.littleEndian) { Array($0) } }
    }
}
