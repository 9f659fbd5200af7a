/// Base64 with padding (RFC 4648).
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Bytes as text.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for sextet in 0..<4 {
                text.append(sextet <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * sextet) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Text as bytes; nil where it is not base64. Either alphabet, with padding or without.
    package static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { characters in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(characters.count / 4 * 3 + 3)
            var bits: UInt32 = 0
            var held: UInt32 = 0
            for character in characters where character != UInt8(ascii: "=") {
                let sextet = values[Int(character)]
                guard sextet < 64 else { return nil }
                bits = bits << 6 | UInt32(sextet)
                held += 6
                if held >= 8 {
                    held -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> held))
                }
            }
            return bytes
        }
    }

    /// Each character's value; 64 where it has none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        values[Int(UInt8(ascii: "-"))] = 62
        values[Int(UInt8(ascii: "_"))] = 63
        return values
    }()
}
