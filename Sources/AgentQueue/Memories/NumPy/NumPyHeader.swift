import AgentQueueModel
import AgentQueueSettings

/// The header of a `.npy` file: the type of its numbers and its shape.
///
/// The format is that of NumPy (`numpy.lib.format`), versions 1.0 to 3.0: a magic string, a length, and a Python dictionary as text.
struct NumPyHeader: Sendable, Equatable {
    /// The supported types of numbers: little-endian floats.
    enum Element: String, Sendable {
        case float32 = "<f4"
        case float64 = "<f8"

        var byteCount: Int { self == .float32 ? 4 : 8 }
    }

    var element: Element
    var rows: Int
    /// The number of values in a row.
    var columns: Int
    /// The offset of the first number in the file.
    var dataOffset: Int

    var rowBytes: Int { columns * element.byteCount }

    /// The longest header that is read. NumPy writes 128 bytes, and by default reads no more than 10,000.
    static let maxBytes = 64 << 10
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// The header as bytes, padded so that the numbers begin at a multiple of 64 and a larger number of rows fits in place of this one.
    static func bytes(rows: Int, columns: Int) -> [UInt8] {
        var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        let total = 128
        text += String(repeating: " ", count: total - 10 - text.utf8.count - 1) + "\n"
        let length = UInt16(text.utf8.count)
        return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
    }
}

extension NumPyHeader {
    /// Reads the header.
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

/// Reads the Python dictionary in the header of a `.npy` file, and only as much of Python as NumPy writes there.
struct NumPyDictionaryReader {
    struct Dictionary {
        var description: String
        var isFortran: Bool
        var shape: [Int]
    }

    private var rest: ArraySlice<UInt8>
    private static let malformed = NumPyError("has a malformed header")

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// Reads the whole dictionary. Only blanks may follow it.
    mutating func dictionary() throws(NumPyError) -> Dictionary {
        var description: String?
        var isFortran: Bool?
        var shape: [Int]?
        try expect("{")
        while !take("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where description == nil: description = try self.description()
            case "fortran_order" where isFortran == nil: isFortran = try truth()
            case "shape" where shape == nil: shape = try tuple()
            default: throw NumPyError("has a header with an unexpected \(InvalidText.quoted(key))")
            }
            guard !take(",") else { continue }
            try expect("}")
            break
        }
        skipBlanks()
        guard rest.isEmpty, let description, let isFortran, let shape else { throw Self.malformed }
        return Dictionary(description: description, isFortran: isFortran, shape: shape)
    }

    /// Reads the type, a text. A list would describe a structured array.
    private mutating func description() throws(NumPyError) -> String {
        skipBlanks()
        guard rest.first != UInt8(ascii: "[") else { throw NumPyError("holds records, not numbers") }
        return try string()
    }

    private mutating func string() throws(NumPyError) -> String {
        skipBlanks()
        guard let quote = rest.popFirst(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { throw Self.malformed }
        let bytes = rest.prefix { $0 != quote && $0 != UInt8(ascii: "\\") }
        rest = rest[bytes.endIndex...]
        guard rest.popFirst() == quote, let text = String(validating: bytes, as: UTF8.self) else { throw Self.malformed }
        return text
    }

    private mutating func truth() throws(NumPyError) -> Bool {
        skipBlanks()
        for (word, value) in [("True", true), ("False", false)] where rest.starts(with: word.utf8) {
            rest = rest.dropFirst(word.utf8.count)
            return value
        }
        throw Self.malformed
    }

    private mutating func tuple() throws(NumPyError) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !take(")") {
            numbers.append(try number())
            guard !take(",") else { continue }
            try expect(")")
            break
        }
        return numbers
    }

    private mutating func number() throws(NumPyError) -> Int {
        skipBlanks()
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest[digits.endIndex...]
        // Python 2 wrote long integers with this suffix.
        _ = take("L")
        guard !digits.isEmpty, let number = Int(String(decoding: digits, as: UTF8.self)) else { throw Self.malformed }
        return number
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(NumPyError) {
        guard take(character) else { throw Self.malformed }
    }

    private mutating func skipBlanks() {
        rest = rest.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 || $0 == 0x0D }
    }
}

/// Why vectors cannot be read from a `.npy` file: one clause.
struct NumPyError: Error, Equatable {
    let message: String

    init(_ message: String) { self.message = message }
}
