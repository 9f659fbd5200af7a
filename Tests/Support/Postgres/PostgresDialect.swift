/// Says to PostgreSQL what the store says to SQLite. The store has one text for each statement; outside of literals,
/// - `?` and `?1` become `$1`,
/// - ` INDEXED BY name` goes,
/// - `CROSS JOIN name ON` becomes `JOIN name ON`,
/// - a plus that leads a name (to SQLite: find no row by this) becomes `coalesce(name)`, which PostgreSQL finds no row by either.
///
/// Keywords are upper case, names are lower case, and a plus between two values has a space on both sides.
package struct PostgresDialect {
    private let text: [UInt8]
    private var position = 0
    private var output: [UInt8] = []
    /// The largest number of a parameter so far.
    private var parameters = 0

    private init(_ sql: String) {
        text = Array(sql.utf8)
        output.reserveCapacity(text.count + 32)
    }

    /// A statement as PostgreSQL takes it.
    package static func translate(_ sql: String) -> String {
        var dialect = PostgresDialect(sql)
        dialect.translate()
        return String(decoding: dialect.output, as: UTF8.self)
    }

    private mutating func translate() {
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""): copyLiteral()
            case UInt8(ascii: "?"): translateParameter()
            case UInt8(ascii: "+") where leadsName: translateFence()
            case UInt8(ascii: " "), UInt8(ascii: "\n"):
                if let end = end(of: ["INDEXED", "BY", nil], at: position) { position = end } else { copy() }
            case UInt8(ascii: "C") where !follows(Self.isName):
                if isBoundCrossJoin, let end = end(of: ["CROSS"], at: position) { position = skippingSpace(end) } else { copy() }
            default: copy()
            }
        }
    }

    private mutating func copy() {
        output.append(text[position])
        position += 1
    }

    /// Copies a literal or a quoted name. A quote that is doubled in it ends one and begins the next, which comes to the same.
    private mutating func copyLiteral() {
        let quote = text[position]
        repeat { copy() } while position < text.count && text[position] != quote
        if position < text.count { copy() }
    }

    private mutating func translateParameter() {
        position += 1
        let start = position
        while position < text.count, Self.isDigit(text[position]) { position += 1 }
        let number = Int(String(decoding: text[start..<position], as: UTF8.self)) ?? parameters + 1
        parameters = max(parameters, number)
        output += Array("$\(number)".utf8)
    }

    private mutating func translateFence() {
        position += 1
        output += Array("coalesce(".utf8)
        while position < text.count, Self.isName(text[position]) || text[position] == UInt8(ascii: ".") { copy() }
        output.append(UInt8(ascii: ")"))
    }

    /// Whether the plus at the position stands before a name, and after no value.
    private var leadsName: Bool {
        guard position + 1 < text.count, Self.isName(text[position + 1]), !Self.isDigit(text[position + 1]) else { return false }
        return position == 0 || follows { Self.isSpace($0) || $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: ",") }
    }

    /// Whether `CROSS JOIN name ON`, or with another name for the table, begins at the position. Without ON it is the same to both.
    private var isBoundCrossJoin: Bool {
        end(of: ["CROSS", "JOIN", nil, "ON"], at: position) != nil || end(of: ["CROSS", "JOIN", nil, "AS", nil, "ON"], at: position) != nil
    }

    /// Whether the byte before the position is one of these.
    private func follows(_ isOne: (UInt8) -> Bool) -> Bool { position > 0 && isOne(text[position - 1]) }

    /// Where words end that begin at a place, with space between them and perhaps before; nil where others stand there. A nil is any name.
    private func end(of words: [String?], at start: Int) -> Int? {
        var place = start
        for word in words {
            place = skippingSpace(place)
            let begin = place
            while place < text.count, Self.isName(text[place]) { place += 1 }
            guard place > begin else { return nil }
            if let word, !text[begin..<place].elementsEqual(word.utf8) { return nil }
        }
        return place
    }

    private func skippingSpace(_ start: Int) -> Int {
        var place = start
        while place < text.count, Self.isSpace(text[place]) { place += 1 }
        return place
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: isDigit(byte)
        }
    }
}
