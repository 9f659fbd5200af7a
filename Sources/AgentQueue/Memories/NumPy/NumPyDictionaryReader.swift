import Settings

/// Reads the Python dictionary of a `.npy` file's head, and no more of Python than NumPy writes there.
struct NumPyDictionaryReader {
    /// What the dictionary says.
    struct Dictionary {
        var description: String
        var isFortran: Bool
        var shape: [Int]
    }

    private var rest: ArraySlice<UInt8>
    private static let malformed = NumPyError("has a malformed header")

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// Reads it whole: nothing but blanks may follow.
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

    /// A text; a list is the description of a structured array.
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
        // Python 2 wrote long integers so.
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
