/// A recursive-descent parser. The bytes must outlive it.
struct JSONParser {
    /// What becomes of text that is not quite JSON.
    enum Mode {
        /// It is refused.
        case strict
        /// It is read if nothing of its texts is lost by that: see `JSONValue.parseLeniently`.
        case lenient
        /// As `lenient`, but half a surrogate pair is kept (``SurrogateHalf``), because the other half may follow in the next text.
        case piece
    }

    let bytes: UnsafeRawBufferPointer
    let mode: Mode
    var position = 0
    private var depth = 0
    /// Whether a string holds half a surrogate pair that stands for itself.
    var hasHalves = false

    init(_ bytes: UnsafeRawBufferPointer, _ mode: Mode = .strict) {
        self.bytes = bytes
        self.mode = mode
    }

    var isLenient: Bool { mode != .strict }

    mutating func document() throws(JSONError) -> JSONValue {
        if isLenient, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        skipBlanks()
        let value = try value()
        skipBlanks()
        guard position == bytes.count else { throw JSONError("something follows the value", at: position) }
        return value
    }

    func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        guard let byte = peek() else { throw JSONError("it ends too early", at: position) }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"):
            if isLenient, position + 1 < bytes.count, bytes[position + 1] | 0x20 == UInt8(ascii: "a"), skipNumberWord() { return .null }
            return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default:
            if isLenient, skipNumberWord() { return .null }
            throw JSONError("unexpected byte 0x\(String(byte, radix: 16))", at: position)
        }
    }

    /// Skips a number that JSON has no way to write, with its sign: `NaN`, `Infinity`, `-inf`.
    private mutating func skipNumberWord() -> Bool {
        var end = position
        if bytes[end] == UInt8(ascii: "-") || bytes[end] == UInt8(ascii: "+") { end += 1 }
        let start = end
        while end < bytes.count, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[end] | 0x20) { end += 1 }
        guard end > start else { return false }
        let word = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self).lowercased()
        guard ["nan", "infinity", "inf"].contains(word) else { return false }
        position = end
        return true
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard peek() == text.utf8Start[index] else { throw JSONError("unknown word", at: position) }
            position += 1
        }
        return value
    }

    private mutating func descend() throws(JSONError) {
        depth += 1
        guard depth <= JSONValue.maxDepth else { throw JSONError("nested deeper than \(JSONValue.maxDepth)", at: position) }
        position += 1
        skipBlanks()
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if peek() == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipBlanks()
            switch peek() {
            case UInt8(ascii: ","):
                position += 1
                skipBlanks()
                guard isLenient, peek() == UInt8(ascii: "]") else { continue }
                position += 1
                return .array(elements)
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw JSONError("a list needs ',' or ']' here", at: position)
            }
        }
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var members: [JSONValue.Member] = []
        if peek() == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw JSONError("an object needs a key here", at: position) }
            let start = position
            let key = try string()
            if !isLenient { try refuseDuplicate(key, in: members, at: start) }
            skipBlanks()
            guard peek() == UInt8(ascii: ":") else { throw JSONError("a key needs ':' behind it", at: position) }
            position += 1
            skipBlanks()
            members.append(JSONValue.Member(key, try value()))
            skipBlanks()
            switch peek() {
            case UInt8(ascii: ","):
                position += 1
                skipBlanks()
                guard isLenient, peek() == UInt8(ascii: "}") else { continue }
                position += 1
                return .object(Self.withoutDuplicates(members))
            case UInt8(ascii: "}"):
                position += 1
                guard !isLenient else { return .object(Self.withoutDuplicates(members)) }
                if members.count > 16 { try refuseDuplicates(members, at: position) }
                return .object(members)
            default: throw JSONError("an object needs ',' or '}' here", at: position)
            }
        }
    }

    /// Small objects are searched as they grow; large ones are checked once with a set, so that a hostile object with a million keys does
    /// not take quadratic time.
    private func refuseDuplicate(_ key: String, in members: [JSONValue.Member], at offset: Int) throws(JSONError) {
        guard members.count <= 16 else { return }
        for member in members where member.key.isExactly(key) { throw JSONError("the key '\(key)' stands twice", at: offset) }
    }

    private func refuseDuplicates(_ members: [JSONValue.Member], at offset: Int) throws(JSONError) {
        var seen = Set<ExactText>(minimumCapacity: members.count)
        for member in members where !seen.insert(ExactText(member.key)).inserted {
            throw JSONError("the key '\(member.key)' stands twice", at: offset)
        }
    }

    /// Of members with the same key the last counts, as in JavaScript and Python, but null and an empty text replace nothing.
    private static func withoutDuplicates(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
        let isSmall = members.count <= 16
        if isSmall, members.indices.allSatisfy({ place in members[..<place].allSatisfy { $0.key != members[place].key } }) {
            return members
        }
        var places: [ExactText: Int] = [:]
        var kept: [JSONValue.Member] = []
        for member in members {
            if let place = places[ExactText(member.key)] {
                if !member.value.isNull, member.value != "" { kept[place].value = member.value }
            } else {
                places[ExactText(member.key)] = kept.count
                kept.append(member)
            }
        }
        return kept
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        guard isLenient else { return try strictNumber() }
        let start = position
        if peek() == UInt8(ascii: "-"), skipNumberWord() { return .null }
        do throws(JSONError) {
            return try strictNumber()
        } catch {
            // A number that is out of range, or written like none, cannot be of use, but no text is lost with it.
            position = start
            while let byte = peek(), "+-.0123456789eE".utf8.contains(byte) { position += 1 }
            return .null
        }
    }

    private mutating func strictNumber() throws(JSONError) -> JSONValue {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        let leading = peek()
        let whole = digits()
        guard whole > 0, !(whole > 1 && leading == UInt8(ascii: "0")) else { throw JSONError("a malformed number", at: start) }
        var isInteger = true
        if peek() == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard digits() > 0 else { throw JSONError("a malformed number", at: start) }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw JSONError("a malformed number", at: start) }
        }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isInteger { return Int64(text).map(JSONValue.integer) ?? .digits(text) }
        guard let double = Double(text), double.isFinite else { throw JSONError("a number out of range", at: start) }
        return .double(double)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }
}
