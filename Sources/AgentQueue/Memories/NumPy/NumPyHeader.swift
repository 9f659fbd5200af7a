/// The head of a `.npy` file: what its numbers are, and how many lie in it.
///
/// The format is that of NumPy (`numpy.lib.format`), versions 1.0 to 3.0: a magic, a length, and a Python dictionary as text.
struct NumPyHeader: Sendable, Equatable {
    /// The numbers that are read: little-endian floats.
    enum Element: String, Sendable {
        case float32 = "<f4"
        case float64 = "<f8"

        /// How many bytes one takes.
        var byteCount: Int { self == .float32 ? 4 : 8 }
    }

    var element: Element
    var rows: Int
    /// Numbers in a row.
    var columns: Int
    /// Where the numbers begin in the file.
    var dataOffset: Int

    /// How many bytes a row takes.
    var rowBytes: Int { columns * element.byteCount }

    /// The longest head that is read: NumPy itself writes 128 bytes, and trusts no more than 10,000.
    static let maxBytes = 64 << 10
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// The head as bytes, so that the numbers begin at a multiple of 64, and a larger number of rows may take the place of this one.
    static func bytes(rows: Int, columns: Int) -> [UInt8] {
        var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        let total = 128
        text += String(repeating: " ", count: total - 10 - text.utf8.count - 1) + "\n"
        let length = UInt16(text.utf8.count)
        return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
    }
}
