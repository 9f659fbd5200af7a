/// Strings, with their escapes.
extension JSONParser {
    mutating func string() throws(JSONError) -> String {
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
            guard byte >= 0x20 || isLenient else { throw JSONError("a raw control character in a string", at: position) }
            position += 1
        }
        throw JSONError("a string without its end", at: start)
    }

    private func text(_ range: Range<Int>) throws(JSONError) -> String {
        let utf8 = UnsafeRawBufferPointer(rebasing: bytes[range])
        if let text = String(validating: utf8, as: UTF8.self) { return text }
        guard isLenient else { throw JSONError("invalid UTF-8", at: range.lowerBound) }
        return String(decoding: utf8, as: UTF8.self)
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var buffer = [UInt8](bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                let text = String(validating: buffer, as: UTF8.self) ?? (isLenient ? String(decoding: buffer, as: UTF8.self) : nil)
                guard let text else { throw JSONError("invalid UTF-8", at: start) }
                position += 1
                return text
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &buffer)
            case 0..<0x20 where !isLenient:
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
        case UInt8(ascii: "u") where isLenient: lenientUnicode(into: &buffer)
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
        // Meant as it stands, as in LaTeX's `\(`.
        case _ where isLenient: buffer.append(contentsOf: [UInt8(ascii: "\\"), byte])
        default: throw JSONError("an unknown escape", at: position - 1)
        }
    }

    /// Reads what follows `\u`: a code unit, a pair of them, half a pair, or, if it is none of these, text that is meant as it stands.
    private mutating func lenientUnicode(into buffer: inout [UInt8]) {
        guard let first = codeUnit(at: position) else {
            buffer.append(contentsOf: "\\u".utf8)
            return
        }
        position += 4
        var scalar = UInt32(first)
        if SurrogateHalf.high.contains(first), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u"), let second = codeUnit(at: position + 2), SurrogateHalf.low.contains(second)
        {
            position += 6
            scalar = SurrogateHalf.joined(first, second)
        } else if SurrogateHalf.high.contains(first) || SurrogateHalf.low.contains(first) {
            hasHalves = hasHalves || mode == .piece
            scalar = mode == .piece ? SurrogateHalf.standIn(for: first) : 0xFFFD
        }
        buffer.append(contentsOf: Unicode.Scalar(scalar).flatMap { UTF8.encode($0) } ?? UTF8.encodedReplacementCharacter)
    }

    /// The four hexadecimal digits at a place, without moving; nil if there are none.
    private func codeUnit(at place: Int) -> UInt16? {
        guard place + 4 <= bytes.count else { return nil }
        var unit: UInt16 = 0
        for index in place..<place + 4 {
            guard let digit = Self.hexadecimalDigit(bytes[index]) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    private mutating func codeUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = peek().flatMap(Self.hexadecimalDigit) else {
                throw JSONError("\\u needs four hexadecimal digits", at: position)
            }
            unit = unit << 4 | digit
            position += 1
        }
        return unit
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
