/// The text of a file that people wrote.
package enum FileText {
    /// Reads UTF-8. Editors on Windows begin a file with a byte order mark, which is no part of the text and is left out.
    /// - Throws: `InvalidText`, a clause about the file, if the bytes are not UTF-8.
    package static func read(_ bytes: [UInt8]) throws(InvalidText) -> String {
        let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        if let text = hasMark ? String(validating: bytes.dropFirst(3), as: UTF8.self) : String(validating: bytes, as: UTF8.self) {
            return text
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw InvalidText("is UTF-16 text, not UTF-8 (convert it with iconv -f UTF-16 -t UTF-8)")
        }
        throw InvalidText("is not valid UTF-8")
    }
}
