import AgentQueueModel
import AgentQueueStore
import Glibc

/// Vectors in a `.npy` file, read row by row: `numpy.save(path, vectors)` writes one.
package final class VectorFile: Sendable {
    /// Its name in messages: its path.
    package let name: String
    /// The number of vectors.
    package var rows: Int { header.rows }
    /// The number of values in each vector.
    package var dimension: Int { header.columns }

    private let descriptor: Int32
    private let header: NumPyHeader

    /// Opens a file and checks everything but its numbers: type, order, shape and length.
    /// - Throws: `InputError`, naming the file.
    package init(path: String) throws(InputError) {
        guard !path.isEmpty, !TextSize.holdsNUL(path) else { throw InputError("the path of the .npy file is not one", kind: .usage) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw BulkInput.failure("\(path) cannot be opened", errno) }
        do throws(InputError) {
            header = try Self.examine(descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        name = path
    }

    deinit { close(descriptor) }

    /// The vector in a row, from 0.
    /// - Throws: `InputError`, naming the file and the row.
    func row(_ index: Int) throws(InputError) -> [Float] {
        var bytes = [UInt8](repeating: 0, count: header.rowBytes)
        let (offset, wanted) = (header.dataOffset + index * header.rowBytes, bytes.count)
        guard index < rows else { throw InputError("\(name) has no row \(index + 1)", kind: .badData) }
        let count = try Self.read(descriptor, name, into: &bytes, at: offset)
        guard count == wanted else { throw InputError("\(name) ends within row \(index + 1)", kind: .badData) }
        return bytes.withUnsafeBytes { bytes in
            switch header.element {
            case .float32:
                (0..<dimension).map { place in
                    let bits = bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)
                    return Float(bitPattern: UInt32(littleEndian: bits))
                }
            case .float64:
                (0..<dimension).map { place in
                    let bits = bytes.loadUnaligned(fromByteOffset: 8 * place, as: UInt64.self)
                    return Float(Double(bitPattern: UInt64(littleEndian: bits)))
                }
            }
        }
    }

    private static func examine(_ descriptor: Int32, _ path: String) throws(InputError) -> NumPyHeader {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw BulkInput.failure("\(path) cannot be examined", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw InputError("\(path) is no regular file, as a .npy file must be", kind: .usage)
        }
        var beginning = [UInt8](repeating: 0, count: NumPyHeader.maxBytes)
        let count = try read(descriptor, path, into: &beginning, at: 0)
        do throws(NumPyError) {
            let header = try NumPyHeader(Array(beginning.prefix(count)))
            try checkSize(of: header, fileBytes: Int64(status.st_size))
            return header
        } catch {
            throw InputError("\(path) \(error.message)", kind: .badData)
        }
    }

    private static func checkSize(of header: NumPyHeader, fileBytes: Int64) throws(NumPyError) {
        guard (1...MemoryVector.maxDimension).contains(header.columns) else {
            throw NumPyError("has \(header.columns) numbers in a row (1 to \(MemoryVector.maxDimension) can be a vector)")
        }
        let (dataBytes, overflows) = Int64(header.rows).multipliedReportingOverflow(by: Int64(header.rowBytes))
        let held = fileBytes - Int64(header.dataOffset)
        guard !overflows, held >= dataBytes else {
            let whole = held / Int64(header.rowBytes)
            throw NumPyError("is cut off: it says \(header.rows) rows, and holds \(whole)")
        }
        guard held == dataBytes else { throw NumPyError("holds \(held - dataBytes) bytes more than its \(header.rows) rows") }
    }

    private static func read(
        _ descriptor: Int32, _ name: String, into bytes: inout [UInt8], at offset: Int
    ) throws(InputError) -> Int {
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { bytes in
                pread(descriptor, bytes.baseAddress.map { $0 + filled }, bytes.count - filled, off_t(offset + filled))
            }
            if count == 0 { break }
            if count > 0 {
                filled += count
                continue
            }
            let code = errno
            guard code == EINTR else { throw BulkInput.failure("\(name) cannot be read", code) }
        }
        return filled
    }
}

/// Writes vectors to a `.npy` file, row by row. `numpy.load(path)` reads them as float32. The file gets its name when it is complete.
package final class VectorFileWriter {
    private let file: PendingFile
    private var dimension: Int?
    /// The number of vectors written so far.
    public private(set) var rows = 0

    /// Opens a file for writing.
    /// - Throws: `InputError` if it cannot be created.
    package init(path: String) throws(InputError) {
        file = try PendingFile(path: path)
        guard file.isSeekable else { throw InputError("\(path) is no regular file, as a .npy file must be", kind: .usage) }
        try file.write(NumPyHeader.bytes(rows: 0, columns: 0))
    }

    /// Adds a row; nil adds a row of zeros, for a memory without a vector.
    /// - Parameter dimension: the number of values in a vector of this file, the same for all rows.
    /// - Throws: `InputError`.
    package func append(_ vector: [Float]?, dimension: Int) throws(InputError) {
        let agreed = self.dimension ?? dimension
        self.dimension = agreed
        guard dimension == agreed, vector?.count ?? agreed == agreed else {
            throw InputError("\(file.path) holds vectors of \(agreed) values, and none of \(vector?.count ?? dimension)", kind: .badData)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * agreed)
        for value in vector ?? [Float](repeating: 0, count: agreed) {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        try file.write(bytes)
        rows += 1
    }

    /// Completes the file and gives it its name.
    /// - Throws: `InputError`.
    package func finish() throws(InputError) {
        try file.overwriteBeginning(NumPyHeader.bytes(rows: rows, columns: dimension ?? 0))
        try file.finish()
    }
}
