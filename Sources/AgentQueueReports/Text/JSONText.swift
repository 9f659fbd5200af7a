import AgentQueueModel

/// JSON for printing: characters that could control a terminal or reorder text are written as `\u` escapes, which mean the same in
/// JSON.
package enum JSONText {
    /// Appends the value, on one line.
    package static func write(_ value: JSONValue, to out: inout [UInt8]) {
        let start = out.count
        value.write(to: &out, sorted: false)
        guard let first = firstLead(in: out[start...]) else { return }
        let tail = String(decoding: out[first...], as: UTF8.self)
        out.removeSubrange(first...)
        for scalar in tail.unicodeScalars {
            // The JSON writer has escaped everything below U+0080; the rest is inside strings, where escapes are allowed.
            if !scalar.isASCII, DisplayText.isHidden(scalar) {
                let digits = String(scalar.value, radix: 16)
                out.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            } else {
                out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }

    /// The value, on one line.
    package static func text(_ value: JSONValue) -> String {
        var bytes: [UInt8] = []
        write(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first byte that may start a character to escape: C1 controls start with C2, the others with D8, E2 or EF.
    private static func firstLead(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.firstIndex { $0 == 0xC2 || $0 == 0xD8 || $0 == 0xE2 || $0 == 0xEF }
    }
}
