extension JSONValue {
    /// The maximum depth of nested arrays and objects.
    package static let maxDepth = 128

    /// Parses one JSON text (RFC 8259) strictly: valid UTF-8, no duplicate keys, nothing after the value, and no nesting beyond
    /// ``maxDepth``.
    /// - Throws: `JSONError`.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        return try parser.document()
    }

    /// Parses one JSON text from a string, strictly (RFC 8259): no duplicate keys, nothing after the value, and at most 128 levels of
    /// nesting.
    /// - Throws: `JSONError` if the text is not valid JSON.
    public static func parse(_ text: String) throws(JSONError) -> JSONValue {
        var text = text
        let result: Result<JSONValue, JSONError> = text.withUTF8 { utf8 in
            Result { () throws(JSONError) in try parse(UnsafeRawBufferPointer(utf8)) }
        }
        return try result.get()
    }

    /// Parses one JSON text from bytes.
    /// - Throws: `JSONError`.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { raw in
            Result { () throws(JSONError) in try parse(raw) }
        }
        return try result.get()
    }
}

/// A recursive-descent parser. The bytes must outlive it.
private struct JSONParser {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONError) -> JSONValue {
        skipBlanks()
        let value = try value()
        skipBlanks()
        guard position == bytes.count else { throw JSONError("something follows the value", at: position) }
        return value
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        guard let byte = peek() else { throw JSONError("it ends too early", at: position) }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw JSONError("unexpected byte 0x\(String(byte, radix: 16))", at: position)
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard peek() == text.utf8Start[index] else { throw JSONError("unknown word", at: position) }
            position += 1
        }
        return value
    }

    private mutating func descend() throws(JSONError) {
        depth += 1
        guard depth <= JSONValue.maxDepth else { throw JSONError("nested deeper than \(JSONValue.maxDepth)", at: position) }
        position += 1
        skipBlanks()
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if peek() == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipBlanks()
            switch peek() {
            case UInt8(ascii: ","):
                position += 1
                skipBlanks()
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw JSONError("a list needs ',' or ']' here", at: position)
            }
        }
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var members: [JSONValue.Member] = []
        if peek() == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw JSONError("an object needs a key here", at: position) }
            let start = position
            let key = try string()
            try refuseDuplicate(key, in: members, at: start)
            skipBlanks()
            guard peek() == UInt8(ascii: ":") else { throw JSONError("a key needs ':' behind it", at: position) }
            position += 1
            skipBlanks()
            members.append(JSONValue.Member(key, try value()))
            skipBlanks()
            switch peek() {
            case UInt8(ascii: ","):
                position += 1
                skipBlanks()
            case UInt8(ascii: "}"):
                position += 1
                if members.count > 16 { try refuseDuplicates(members, at: position) }
                return .object(members)
            default: throw JSONError("an object needs ',' or '}' here", at: position)
            }
        }
    }

    /// Small objects are searched as they grow; large ones are checked once with a set, so that a hostile object with a million keys does
    /// not take quadratic time.
    private func refuseDuplicate(_ key: String, in members: [JSONValue.Member], at offset: Int) throws(JSONError) {
        guard members.count <= 16 else { return }
        for member in members where member.key == key { throw JSONError("the key '\(key)' stands twice", at: offset) }
    }

    private func refuseDuplicates(_ members: [JSONValue.Member], at offset: Int) throws(JSONError) {
        var seen = Set<String>(minimumCapacity: members.count)
        for member in members where !seen.insert(member.key).inserted {
            throw JSONError("the key '\(member.key)' stands twice", at: offset)
        }
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try text(start..<position)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw JSONError("a raw control character in a string", at: position) }
            position += 1
        }
        throw JSONError("a string without its end", at: start)
    }

    private func text(_ range: Range<Int>) throws(JSONError) -> String {
        guard let text = String(validating: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self) else {
            throw JSONError("invalid UTF-8", at: range.lowerBound)
        }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var buffer = [UInt8](bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: buffer, as: UTF8.self) else { throw JSONError("invalid UTF-8", at: start) }
                position += 1
                return text
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &buffer)
            case 0..<0x20:
                throw JSONError("a raw control character in a string", at: position)
            default:
                buffer.append(byte)
                position += 1
            }
        }
        throw JSONError("a string without its end", at: start)
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(JSONError) {
        guard let byte = peek() else { throw JSONError("a string without its end", at: position) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            let first = try codeUnit()
            var scalar = UInt32(first)
            if (0xD800..<0xDC00).contains(first) {
                guard peek() == UInt8(ascii: "\\") else { throw JSONError("half a surrogate pair", at: position) }
                position += 1
                guard peek() == UInt8(ascii: "u") else { throw JSONError("half a surrogate pair", at: position) }
                position += 1
                let second = try codeUnit()
                guard (0xDC00..<0xE000).contains(second) else { throw JSONError("half a surrogate pair", at: position) }
                scalar = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
            }
            guard let unicode = Unicode.Scalar(scalar) else { throw JSONError("half a surrogate pair", at: position) }
            buffer.append(contentsOf: UTF8.encode(unicode) ?? UTF8.encodedReplacementCharacter)
        default: throw JSONError("an unknown escape", at: position - 1)
        }
    }

    private mutating func codeUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch peek() {
            case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): digit = byte - UInt8(ascii: "0")
            case let byte? where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte): digit = byte - UInt8(ascii: "a") + 10
            case let byte? where (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte): digit = byte - UInt8(ascii: "A") + 10
            default: throw JSONError("\\u needs four hexadecimal digits", at: position)
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        let leading = peek()
        let whole = digits()
        guard whole > 0, !(whole > 1 && leading == UInt8(ascii: "0")) else { throw JSONError("a malformed number", at: start) }
        var isInteger = true
        if peek() == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard digits() > 0 else { throw JSONError("a malformed number", at: start) }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw JSONError("a malformed number", at: start) }
        }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isInteger { return Int64(text).map(JSONValue.integer) ?? .digits(text) }
        guard let double = Double(text), double.isFinite else { throw JSONError("a number out of range", at: start) }
        return .double(double)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }
}

/// Why a text is not valid JSON.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, as the end of a sentence.
    package let problem: String
    /// The position in bytes from the beginning, from 0.
    package let offset: Int

    init(_ problem: String, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    /// The message, as shown to users. It counts bytes from 1, unlike `offset`.
    public var description: String { "not valid JSON at byte \(offset + 1): \(problem)" }
}
