import AgentQueueModel

/// JSON as printed: what could steer a terminal or turn text around stands as `\u` escapes, which say the same to a reader of JSON.
package enum JSONText {
    /// Appends the value, on one line.
    package static func write(_ value: JSONValue, to out: inout [UInt8]) {
        let start = out.count
        value.write(to: &out, sorted: false)
        guard let first = firstLead(in: out[start...]) else { return }
        let tail = String(decoding: out[first...], as: UTF8.self)
        out.removeSubrange(first...)
        for scalar in tail.unicodeScalars {
            // The writer has escaped all below U+0080; what is left stands inside strings, where an escape may stand too.
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

    /// Where a character begins that may have to be escaped: C1 controls begin with C2, the others with D8, E2 and EF.
    private static func firstLead(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.firstIndex { $0 == 0xC2 || $0 == 0xD8 || $0 == 0xE2 || $0 == 0xEF }
    }
}
