import Foundation

/// A Swift file: its code without comments, and its string literals.
struct SwiftFile {
    let path: String
    let lines: Int
    /// The code; comments are left out, and literals are empty.
    let code: String
    /// What stands between quotation marks, as it is written; an interpolation is `\()`, and its own literals are listed too.
    let literals: [String]

    init(path: String) throws {
        let text = try Repository.text(path)
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        var scanner = Scanner(text)
        scanner.scan(until: nil)
        code = String(decoding: scanner.code, as: UTF8.self)
        literals = scanner.literals
    }

    /// The folder that it stands in.
    var folder: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }

    private struct Scanner {
        private let bytes: [UInt8]
        private var place = 0
        var code: [UInt8] = []
        var literals: [String] = []

        init(_ text: String) { bytes = Array(text.utf8) }

        private func sees(_ text: StaticString) -> Bool {
            place + text.utf8CodeUnitCount <= bytes.count
                && (0..<text.utf8CodeUnitCount).allSatisfy { bytes[place + $0] == text.utf8Start[$0] }
        }

        /// Reads code up to the parenthesis that closes an interpolation, or to the end of the file.
        mutating func scan(until end: UInt8?) {
            var depth = 0
            while place < bytes.count {
                if sees("//") {
                    while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
                    continue
                }
                var hashes = 0
                while place + hashes < bytes.count, bytes[place + hashes] == UInt8(ascii: "#") { hashes += 1 }
                if place + hashes < bytes.count, bytes[place + hashes] == UInt8(ascii: "\"") {
                    place += hashes
                    literal(hashes)
                    continue
                }
                if bytes[place] == UInt8(ascii: "(") { depth += 1 }
                if bytes[place] == UInt8(ascii: ")") {
                    if depth == 0, end != nil { return }
                    depth -= 1
                }
                code.append(bytes[place])
                place += 1
            }
        }

        private mutating func literal(_ hashes: Int) {
            let quotes = sees("\"\"\"") ? 3 : 1
            place += quotes
            var text: [UInt8] = []
            while place < bytes.count {
                if ends(quotes, hashes) {
                    place += quotes + hashes
                    break
                }
                if bytes[place] == UInt8(ascii: "\\"), isEscape(hashes) {
                    let next = place + 1 + hashes
                    if next < bytes.count, bytes[next] == UInt8(ascii: "(") {
                        place = next + 1
                        scan(until: UInt8(ascii: ")"))
                        place += 1
                        text += Array("\\()".utf8)
                    } else {
                        text += bytes[place...min(next, bytes.count - 1)]
                        place = next + 1
                    }
                    continue
                }
                text.append(bytes[place])
                place += 1
            }
            code += Array("\"\"".utf8)
            literals.append(String(decoding: text, as: UTF8.self))
        }

        private func ends(_ quotes: Int, _ hashes: Int) -> Bool {
            guard place + quotes + hashes <= bytes.count else { return false }
            return (0..<quotes).allSatisfy { bytes[place + $0] == UInt8(ascii: "\"") }
                && (0..<hashes).allSatisfy { bytes[place + quotes + $0] == UInt8(ascii: "#") }
        }

        private func isEscape(_ hashes: Int) -> Bool {
            place + hashes < bytes.count && (0..<hashes).allSatisfy { bytes[place + 1 + $0] == UInt8(ascii: "#") }
        }
    }
}
