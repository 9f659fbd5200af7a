/// Why a list of numbers is no vector that can be remembered or searched.
public enum VectorError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It has no values.
    case empty
    /// It has more than 4,096 values.
    case tooLong(Int)
    /// The value at that place, from 0, is NaN or infinite.
    case notFinite(Int)
    /// All values are zero, or its length is beyond Float32.
    case noDirection
    /// It is not as long as those that it is compared with.
    case wrongDimension(Int, expected: Int)

    /// One sentence.
    public var description: String {
        switch self {
        case .empty: "the vector has no values"
        case .tooLong(let count): "the vector has \(count) values (at most \(MemoryVector.maxDimension))"
        case .notFinite(let index): "value \(index + 1) of the vector is not a finite number"
        case .noDirection: "the vector has no direction: it is all zeros, or too long or short for Float32"
        case .wrongDimension(let count, let expected): "the vector has \(count) values, and those that it is compared with \(expected)"
        }
    }
}
