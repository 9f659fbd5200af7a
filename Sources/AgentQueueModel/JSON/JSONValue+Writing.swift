extension JSONValue {
    /// The value as JSON text on one line, with the members of objects in their order.
    public var text: String { String(decoding: utf8(sorted: false), as: UTF8.self) }

    /// The canonical text: members sorted by key, no blanks, one spelling per number. Equal values have equal canonical texts.
    package var canonicalText: String { String(decoding: utf8(sorted: true), as: UTF8.self) }

    /// The value as JSON in UTF-8; canonical if `sorted`.
    package func utf8(sorted: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(256)
        write(to: &out, sorted: sorted)
        return out
    }

    /// Appends the value as JSON in UTF-8; canonical if `sorted`.
    package func write(to out: inout [UInt8], sorted: Bool) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): out.append(contentsOf: String(value).utf8)
        case .digits(let value): out.append(contentsOf: value.utf8)
        case .double(let value): Self.write(value, to: &out)
        case .string(let value): Self.write(value, to: &out)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                element.write(to: &out, sorted: sorted)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            let ordered = sorted ? Self.sorted(members) : members
            for (index, member) in ordered.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(to: &out, sorted: sorted)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    /// Members in canonical order.
    static func sorted(_ members: [Member]) -> [Member] {
        members.count > 1 ? members.sorted { $0.key < $1.key } : members
    }

    /// A double that is a whole number is written as an integer, so that `1.0` and `1` are the same. JSON has no infinities and the parser
    /// accepts none; one made in code is written as null.
    private static func write(_ value: Double, to out: inout [UInt8]) {
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 {
            out.append(contentsOf: String(whole).utf8)
        } else if value.isFinite {
            out.append(contentsOf: "\(value)".utf8)
        } else {
            out.append(contentsOf: "null".utf8)
        }
    }

    /// Appends a string in quotes.
    static func write(_ string: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { utf8 in
            var start = 0
            var index = plainEnd(utf8, from: 0)
            while index < utf8.count {
                let byte = utf8[index]
                out.append(contentsOf: utf8[start..<index])
                start = index + 1
                index = plainEnd(utf8, from: start)
                switch byte {
                case UInt8(ascii: "\""): out.append(contentsOf: "\\\"".utf8)
                case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
                case 0x0A: out.append(contentsOf: "\\n".utf8)
                case 0x0D: out.append(contentsOf: "\\r".utf8)
                case 0x09: out.append(contentsOf: "\\t".utf8)
                default:
                    let hex = Array("0123456789abcdef".utf8)
                    out.append(contentsOf: "\\u00".utf8)
                    out.append(hex[Int(byte >> 4)])
                    out.append(hex[Int(byte & 15)])
                }
            }
            out.append(contentsOf: utf8[start...])
        }
        out.append(UInt8(ascii: "\""))
    }

    /// Where the next byte is that must be escaped; the end if there is none. Looks at eight bytes at a time: most of what is written is
    /// plain text.
    private static func plainEnd(_ utf8: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var index = start
        let raw = UnsafeRawBufferPointer(utf8)
        while index + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The top bit of a byte is set if it is below 0x20, a quote, a backslash or 0x7F; also, at times, for a byte after such a one.
            let control = (word &- 0x2020_2020_2020_2020) & ~word
            let quote = zeros(word ^ 0x2222_2222_2222_2222)
            let backslash = zeros(word ^ 0x5C5C_5C5C_5C5C_5C5C)
            let delete = zeros(word ^ 0x7F7F_7F7F_7F7F_7F7F)
            guard (control | quote | backslash | delete) & 0x8080_8080_8080_8080 == 0 else { break }
            index += 8
        }
        while index < raw.count, !mustEscape(raw[index]) { index += 1 }
        return index
    }

    /// Sets the top bit of each byte that is zero.
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word }

    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }
}
