import Glibc

/// Writes vectors into a `.npy` file, row by row: `numpy.load(path)` reads them, as float32. The file is there once it is whole.
public final class VectorFileWriter {
    private let file: PendingFile
    private var dimension: Int?
    /// How many vectors were written.
    public private(set) var rows = 0

    /// Begins a file.
    /// - Throws: `InputError` where it cannot be made.
    public init(path: String) throws(InputError) {
        file = try PendingFile(path: path)
        guard file.isSeekable else { throw InputError("\(path) is no regular file, as a .npy file must be", exit: .usage) }
        try file.write(NumPyHeader.bytes(rows: 0, columns: 0))
    }

    /// Adds a row; nil is a row of zeros, for a memory that has no vector.
    /// - Parameter dimension: how many values a vector of this file has; all rows must agree.
    /// - Throws: `InputError`.
    public func append(_ vector: [Float]?, dimension: Int) throws(InputError) {
        let agreed = self.dimension ?? dimension
        self.dimension = agreed
        guard dimension == agreed, vector?.count ?? agreed == agreed else {
            throw InputError("\(file.path) holds vectors of \(agreed) values, and none of \(vector?.count ?? dimension)", exit: .badData)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * agreed)
        for value in vector ?? [Float](repeating: 0, count: agreed) {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        try file.write(bytes)
        rows += 1
    }

    /// Ends the file, and gives it its name.
    /// - Throws: `InputError`.
    public func finish() throws(InputError) {
        try file.overwriteBeginning(NumPyHeader.bytes(rows: rows, columns: dimension ?? 0))
        try file.finish()
    }
}
