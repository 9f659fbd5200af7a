/// JSON that a server or a program wrote, which was paid for and must not be thrown away because of what stands beside its texts.
///
/// Servers write with libraries that let through what RFC 8259 forbids, and users cannot change them. What they write is read as it was
/// meant where nothing of a text can be lost by that:
///
/// - a byte order mark, a comma behind the last element, and control characters in strings;
/// - numbers that JSON cannot write (`NaN`, `-Infinity`, `1e999`), as null;
/// - of members with the same key, the last that is neither null nor an empty text;
/// - half a surrogate pair, and bytes that are not UTF-8, as U+FFFD;
/// - a `\` before a character that needs none, as itself.
///
/// Everything else is refused, above all a text that was cut. Input of users is read strictly: they can correct it.
extension JSONValue {
    /// Reads one JSON text that a server or a program wrote.
    /// - Throws: `JSONError` if something in it may be lost.
    package static func parseLeniently(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { raw in
            Result { () throws(JSONError) in
                var parser = JSONParser(raw, .lenient)
                return try parser.document()
            }
        }
        return try result.get()
    }

    /// Reads one JSON text that a server or a program wrote.
    /// - Throws: `JSONError` if something in it may be lost.
    package static func parseLeniently(_ text: String) throws(JSONError) -> JSONValue { try JSONPiece(text).value }

    /// A value of ``JSONPiece/unjoined`` with U+FFFD in the place of each half of a surrogate pair.
    package var withoutHalves: JSONValue {
        switch self {
        case .string(let text): .string(SurrogateHalf.removed(from: text))
        case .array(let elements): .array(elements.map(\.withoutHalves))
        case .object(let members):
            .object(members.map { Member(SurrogateHalf.removed(from: $0.key), $0.value.withoutHalves) })
        case .null, .bool, .integer, .double, .digits: self
        }
    }
}

/// One of several JSON texts that together carry one answer, such as an event of a stream. A character may begin in one and end in the
/// next: ``JoinedText`` joins it.
package struct JSONPiece: Sendable {
    /// The value. Half a surrogate pair in it is U+FFFD.
    package let value: JSONValue
    /// The value with halves of surrogate pairs, for ``JoinedText``.
    package let unjoined: JSONValue
    /// Whether there are such halves.
    package let hasHalves: Bool

    /// Reads a JSON text as leniently as ``JSONValue/parseLeniently(_:)-(String)``.
    /// - Throws: `JSONError` if something in it may be lost.
    package init(_ text: String) throws(JSONError) {
        var text = text
        let result = text.withUTF8 { utf8 in
            Result { () throws(JSONError) -> (JSONValue, Bool) in
                var parser = JSONParser(UnsafeRawBufferPointer(utf8), .piece)
                return (try parser.document(), parser.hasHalves)
            }
        }
        (unjoined, hasHalves) = try result.get()
        value = hasHalves ? unjoined.withoutHalves : unjoined
    }
}

/// A text that arrives in pieces. A character that was cut between two of them, into the halves of its surrogate pair, is joined again.
package struct JoinedText: Sendable, Equatable {
    private var whole = ""
    /// Half a character at the end.
    private var half: UInt16?

    /// Starts empty.
    package init() {}

    /// The text so far, with U+FFFD for a character of which only half has arrived.
    package var text: String { half == nil ? whole : whole + "\u{FFFD}" }
    /// Whether nothing has arrived.
    package var isEmpty: Bool { whole.isEmpty && half == nil }

    /// Appends a piece, and returns what of the text is now complete.
    /// - Parameter hasHalves: whether the piece comes from a ``JSONPiece`` that has halves of characters.
    @discardableResult
    package mutating func append(_ piece: String, hasHalves: Bool) -> String {
        guard !piece.isEmpty else { return "" }
        guard half != nil || hasHalves else {
            whole += piece
            return piece
        }
        var added = String.UnicodeScalarView()
        for scalar in piece.unicodeScalars {
            let unit = hasHalves ? SurrogateHalf.unit(of: scalar) : nil
            if let high = half {
                half = nil
                if let unit, SurrogateHalf.low.contains(unit), let joined = Unicode.Scalar(SurrogateHalf.joined(high, unit)) {
                    added.append(joined)
                    continue
                }
                added.append("\u{FFFD}")
            }
            switch unit {
            case nil: added.append(scalar)
            case let unit? where SurrogateHalf.high.contains(unit): half = unit
            default: added.append("\u{FFFD}")
            }
        }
        whole.unicodeScalars.append(contentsOf: added)
        return String(added)
    }
}

/// Half a surrogate pair, which no string can hold: a character of the last private use area stands for it.
enum SurrogateHalf {
    /// The first halves.
    static let high: ClosedRange<UInt16> = 0xD800...0xDBFF
    /// The second halves.
    static let low: ClosedRange<UInt16> = 0xDC00...0xDFFF
    private static let offset: UInt32 = 0x10_0000

    /// The character of two halves.
    static func joined(_ high: UInt16, _ low: UInt16) -> UInt32 {
        0x1_0000 + (UInt32(high & 0x3FF) << 10) + UInt32(low & 0x3FF)
    }

    /// The character that stands for a half.
    static func standIn(for unit: UInt16) -> UInt32 { offset + UInt32(unit) }

    /// The half that a character stands for; nil if it stands for none.
    static func unit(of scalar: Unicode.Scalar) -> UInt16? {
        guard (standIn(for: high.lowerBound)...standIn(for: low.upperBound)).contains(scalar.value) else { return nil }
        return UInt16(scalar.value - offset)
    }

    /// A text with U+FFFD for each half.
    static func removed(from text: String) -> String {
        guard text.unicodeScalars.contains(where: { unit(of: $0) != nil }) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(unit(of: scalar) == nil ? scalar : "\u{FFFD}") }
        return String(scalars)
    }
}
