import JobModel

/// JSON pointers (RFC 6901).
enum JSONPointer {
    /// A member's name as a part of a pointer.
    static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The names and numbers a pointer is made of; nil where it is none.
    static func parts(_ pointer: String) -> [String]? {
        if pointer.isEmpty { return [] }
        guard pointer.unicodeScalars.first == "/" else { return nil }
        var parts: [String] = []
        for part in pointer.unicodeScalars.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let plain = unescaped(part) else { return nil }
            parts.append(plain)
        }
        return parts
    }

    private static func unescaped(_ part: Substring.UnicodeScalarView) -> String? {
        var text = ""
        var rest = part
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                text.unicodeScalars.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": text += "~"
            case "1": text += "/"
            default: return nil
            }
        }
        return text
    }

    /// What a part of a pointer leads to within a value; nil where there is nothing.
    static func step(_ part: String, in value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let members): members.first { $0.key.utf8.elementsEqual(part.utf8) }?.value
        case .array(let elements): Int(part).flatMap { String($0) == part && elements.indices.contains($0) ? elements[$0] : nil }
        default: nil
        }
    }

    /// A URI's fragment without its `%xx`; nil where one is broken, or it is not UTF-8.
    static func percentDecoded(_ fragment: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = fragment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
