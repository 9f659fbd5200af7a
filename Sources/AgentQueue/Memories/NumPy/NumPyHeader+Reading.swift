import Settings

extension NumPyHeader {
    /// Reads the head.
    /// - Parameter bytes: the beginning of the file, up to ``maxBytes`` of it.
    /// - Throws: `NumPyError`.
    init(_ bytes: [UInt8]) throws(NumPyError) {
        guard bytes.starts(with: Self.magic) else { throw NumPyError("is no .npy file") }
        guard bytes.count >= 10 else { throw NumPyError("ends within its header") }
        let version = (bytes[6], bytes[7])
        let lengthBytes: Int
        switch version {
        case (1, 0): lengthBytes = 2
        case (2, 0), (3, 0): lengthBytes = 4
        default: throw NumPyError("is of version \(version.0).\(version.1) of the .npy format (1.0 to 3.0 can be read)")
        }
        let start = 8 + lengthBytes
        guard bytes.count >= start else { throw NumPyError("ends within its header") }
        let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard start + length <= Self.maxBytes else { throw NumPyError("has a header of \(length) bytes, which is too long") }
        guard bytes.count >= start + length else { throw NumPyError("ends within its header") }
        var reader = NumPyDictionaryReader(bytes[start..<start + length])
        let dictionary = try reader.dictionary()

        switch dictionary.description {
        case "<f4", "=f4": element = .float32
        case "<f8", "=f8": element = .float64
        case let other:
            throw NumPyError("holds \(InvalidText.quoted(other)): float32 or float64, little-endian, is needed")
        }
        guard !dictionary.isFortran else {
            throw NumPyError("is in Fortran order; save it in C order (numpy.ascontiguousarray)")
        }
        guard dictionary.shape.count == 2 else {
            throw NumPyError("has \(dictionary.shape.count) dimensions; it must have 2, a row for each vector")
        }
        (rows, columns) = (dictionary.shape[0], dictionary.shape[1])
        dataOffset = start + length
    }
}
