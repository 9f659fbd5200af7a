import AgentQueueModel

/// Finds the differences between two requests: kind, target, members of the body down to single characters, the identity of the
/// provider, and use of the cache.
package struct RequestComparison {
    /// One of the two requests.
    package struct Side {
        package var kind: JobKind
        package var target: Target
        /// The request.
        package var body: JSONValue
        /// The cache key.
        package var digest: [UInt8]
        package var usesCache: Bool
        /// The identity of its provider as configured now, if the cache key was computed with it; nil if it was computed with another, or
        /// if the provider is no longer configured.
        package var identity: String?

        package init(kind: JobKind, target: Target, body: JSONValue, digest: [UInt8], usesCache: Bool, identity: String?) {
            self.kind = kind
            self.target = target
            self.body = body
            self.digest = digest
            self.usesCache = usesCache
            self.identity = identity
        }
    }

    /// Requests that differ in more places are different requests.
    package static let most = 100

    /// Whether both have the same cache key.
    package let isSame: Bool
    /// In the order of the request. Use of the cache can differ even when ``isSame`` is true.
    package private(set) var differences: [RequestDifference] = []

    package init(_ a: Side, _ b: Side) {
        isSame = a.digest == b.digest
        if !isSame {
            if a.kind != b.kind { add(RequestDifference("kind", .string(a.kind.rawValue), .string(b.kind.rawValue))) }
            if a.target != b.target {
                add(RequestDifference("target", .string(a.target.description), .string(b.target.description)))
            }
            compareMembers("", Self.relevant(a.body), Self.relevant(b.body)) { MemberOrder(ofMember: $0) }
            compareIdentities(a, b)
        }
        if a.usesCache != b.usesCache { add(RequestDifference("cache", .bool(a.usesCache), .bool(b.usesCache))) }
    }

    /// The members that are part of the cache key.
    private static func relevant(_ body: JSONValue) -> [JSONValue.Member] {
        (body.members ?? []).filter { !ModelRequest.ignoredByDigest.contains($0.key) }
    }

    /// The cache key covers the provider's identity at the time the job was added, but only as part of a digest, so all that can be told
    /// is whether it equals today's.
    private mutating func compareIdentities(_ a: Side, _ b: Side) {
        guard a.target.provider == b.target.provider, (a.identity == nil) != (b.identity == nil) || differences.isEmpty else { return }
        func shown(_ identity: String?) -> JSONValue { .string(identity.map { "\($0), as configured now" } ?? "configured otherwise") }
        add(RequestDifference("provider", shown(a.identity), shown(b.identity)))
    }

    private mutating func compare(_ path: String, _ a: JSONValue, _ b: JSONValue, _ order: MemberOrder) {
        guard differences.count < Self.most else { return }
        switch (a, b) {
        case (.object(let first), .object(let second)):
            if order == .counted { compareOrder(path, first, second) }
            compareMembers(path + ".", first, second) { order.inside($0) }
        case (.array(let first), .array(let second)):
            for index in 0..<max(first.count, second.count) where differences.count < Self.most {
                let place = "\(path)[\(index)]"
                guard index < first.count else {
                    add(RequestDifference(place, nil, ShortValue.of(second[index])))
                    continue
                }
                guard index < second.count else {
                    add(RequestDifference(place, ShortValue.of(first[index]), nil))
                    continue
                }
                compare(place, first[index], second[index], order)
            }
        case (.string(let first), .string(let second)): compareTexts(path, first, second)
        default:
            guard a.utf8(sorted: true) != b.utf8(sorted: true) else { return }
            add(RequestDifference(path, ShortValue.of(a), ShortValue.of(b)))
        }
    }

    /// Compares the order of the members that both have, where it is part of the cache key.
    private mutating func compareOrder(_ path: String, _ a: [JSONValue.Member], _ b: [JSONValue.Member]) {
        let (first, second) = (a.map { Array($0.key.utf8) }, b.map { Array($0.key.utf8) })
        let common = Set(first).intersection(second)
        guard first.filter(common.contains) != second.filter(common.contains) else { return }
        func names(_ members: [JSONValue.Member]) -> JSONValue { ShortValue.of(.string(members.map(\.key).joined(separator: ", "))) }
        add(RequestDifference(path, names(a), names(b), hint: .memberOrder))
    }

    /// - Parameter order: whether the order inside a member's value is part of the cache key.
    private mutating func compareMembers(
        _ prefix: String, _ a: [JSONValue.Member], _ b: [JSONValue.Member], _ order: (String) -> MemberOrder
    ) {
        let others = Dictionary(b.map { (Array($0.key.utf8), $0.value) }, uniquingKeysWith: { first, _ in first })
        for member in a {
            if let other = others[Array(member.key.utf8)] {
                compare(prefix + member.key, member.value, other, order(member.key))
            } else {
                add(RequestDifference(prefix + member.key, ShortValue.of(member.value), nil))
            }
        }
        let own = Set(a.map { Array($0.key.utf8) })
        for member in b where !own.contains(Array(member.key.utf8)) {
            add(RequestDifference(prefix + member.key, nil, ShortValue.of(member.value)))
        }
    }

    /// Compares bytes, because the cache key is computed from bytes: strings that are equal in Swift can differ here.
    private mutating func compareTexts(_ path: String, _ a: String, _ b: String) {
        var first = a.unicodeScalars.makeIterator()
        var second = b.unicodeScalars.makeIterator()
        var position = 0
        while true {
            let (one, other) = (first.next(), second.next())
            if one != other { break }
            if one == nil { return }
            position += 1
        }
        add(
            RequestDifference(
                path, ShortValue.of(a, around: position), ShortValue.of(b, around: position), character: position + 1,
                hint: TextHint.of(a, b, at: position)))
    }

    private mutating func add(_ difference: RequestDifference) {
        if differences.count < Self.most { differences.append(difference) }
    }
}

/// A place where two requests differ.
package struct RequestDifference: Equatable {
    /// Such as `target` or `messages[1].content`. Unescaped: escape it before printing.
    package let path: String
    /// The value in the first request, shortened; nil if it has none.
    package let a: JSONValue?
    /// The value in the second request.
    package let b: JSONValue?
    /// For texts, the first character that differs, counted from 1.
    package let character: Int?
    /// A likely reason for the difference.
    package let hint: TextHint?

    package init(_ path: String, _ a: JSONValue?, _ b: JSONValue?, character: Int? = nil, hint: TextHint? = nil) {
        self.path = path
        self.a = a
        self.b = b
        self.character = character
        self.hint = hint
    }

    /// As `--json` prints it.
    package var json: JSONValue {
        .object([
            .init("path", .string(path)), .init("a", a ?? .null), .init("b", b ?? .null),
            .init("character", character.map { .integer(Int64($0)) } ?? .null), .init("hint", JobJSON.string(hint?.rawValue)),
        ])
    }
}

/// Values shortened to fit on a line.
package enum ShortValue {
    /// Maximum number of characters of a text.
    package static let most = 60
    /// How many of them precede the position of interest.
    private static let before = 20

    /// Numbers and booleans unchanged; the start of everything else.
    package static func of(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): of(text, around: 0)
        case .array, .object: of(value.text, around: 0)
        default: value
        }
    }

    /// The part of a text around a position, with `…` where text is omitted.
    package static func of(_ text: String, around position: Int) -> JSONValue {
        let scalars = text.unicodeScalars
        // A short text, or a position near the start, is shown from the start.
        let skipped = scalars.dropFirst(most).isEmpty || position <= before ? 0 : position - before
        let kept = scalars.dropFirst(skipped).prefix(most)
        var shown = String.UnicodeScalarView(skipped > 0 ? ["…"] : [])
        shown.append(contentsOf: kept)
        if kept.endIndex < scalars.endIndex { shown.append("…") }
        return .string(String(shown))
    }
}

/// A common reason why two values that were meant to be equal differ.
package enum TextHint: String {
    case randomID = "looks like a random id"
    case time = "looks like a time"
    case whiteSpace = "only white space differs"
    case unicodeForm = "the same letters in another Unicode form"
    case memberOrder = "the same names in another order"

    /// - Parameters:
    ///   - a: The first of two texts that differ.
    ///   - position: The first Unicode scalar that differs.
    package static func of(_ a: String, _ b: String, at position: Int) -> TextHint? {
        if a == b { return .unicodeForm }
        let (first, second) = (word(in: a, around: position), word(in: b, around: position))
        if isTime(first), isTime(second) { return .time }
        if isRandom(first), isRandom(second) { return .randomID }
        let isSame = a.unicodeScalars.lazy.filter { !$0.properties.isWhitespace }
            .elementsEqual(b.unicodeScalars.lazy.filter { !$0.properties.isWhitespace })
        return isSame ? .whiteSpace : nil
    }

    /// Maximum length of a time or ID.
    private static let mostCharacters = 128

    /// The word around a position: letters, digits and the punctuation used in times and IDs.
    private static func word(in text: String, around position: Int) -> String {
        let scalars = text.unicodeScalars
        let start = scalars.index(scalars.startIndex, offsetBy: min(position, scalars.count))
        let head = scalars[..<start].reversed().prefix(mostCharacters).prefix(while: isWordPart)
        let tail = scalars[start...].prefix(mostCharacters).prefix(while: isWordPart)
        var word = String.UnicodeScalarView(head.reversed())
        word.append(contentsOf: tail)
        return String(word)
    }

    private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (isLetterOrDigit(scalar) || "-_:.+".unicodeScalars.contains(scalar))
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "a"..."z", "A"..."Z": true
        default: false
        }
    }

    /// A date, a time of day, both, or a recent Unix time in seconds or smaller units.
    private static func isTime(_ word: String) -> Bool {
        let bare = word.trimmed(of: ".:-_+")
        if bare.wholeMatch(of: /\d{4}-\d\d-\d\d([T_]\d\d:\d\d(:\d\d([.]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?/) != nil { return true }
        if bare.wholeMatch(of: /\d{1,2}:\d\d(:\d\d([.]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?/) != nil { return true }
        return bare.wholeMatch(of: /1\d{9}([.]\d+|\d{3}|\d{6}|\d{9})?/) != nil
    }

    /// A UUID, or at least 16 letters and digits mixed.
    private static func isRandom(_ word: String) -> Bool {
        let bare = word.trimmed(of: ".:-_+")
        if bare.firstMatch(of: /[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/) != nil { return true }
        // IDs often have a prefix: `req_…`, `session-…`.
        let core = bare.unicodeScalars.split(whereSeparator: { !isLetterOrDigit($0) }).max { $0.count < $1.count } ?? [][...]
        return core.count >= 16 && core.contains { ("0"..."9").contains($0) } && core.contains { !("0"..."9").contains($0) }
    }
}

extension String {
    /// Removes these characters from both ends.
    fileprivate func trimmed(of marks: String) -> String {
        let isMark = { (scalar: Unicode.Scalar) in marks.unicodeScalars.contains(scalar) }
        let start = unicodeScalars.drop(while: isMark)
        return String(String.UnicodeScalarView(start.reversed().drop(while: isMark).reversed()))
    }
}
