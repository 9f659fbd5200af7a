import JobModel
import ModelCalls

/// Finds what makes two requests differ: kind, target, each member of the body down to the characters of a text, who answers for the
/// provider, and whether the cache is used.
struct RequestComparison {
    /// One of the two.
    struct Side {
        var kind: JobKind
        var target: Target
        /// The canonical request.
        var body: JSONValue
        /// The cache key.
        var digest: [UInt8]
        var usesCache: Bool
        /// Who answers for its provider as configured now, where that is what its key was made with; nil where it was another, or the
        /// provider is not configured any more.
        var identity: String?
    }

    /// The most differences that are found; who differs in more is another request.
    static let most = 100

    /// Whether they have the same cache key, so that one's answer is the other's.
    let isSame: Bool
    /// Where they differ, in the order of the request. The cache's use may differ where ``isSame``.
    private(set) var differences: [RequestDifference] = []

    init(_ a: Side, _ b: Side) {
        isSame = a.digest == b.digest
        if !isSame {
            if a.kind != b.kind { add(RequestDifference("kind", .string(a.kind.rawValue), .string(b.kind.rawValue))) }
            if a.target != b.target {
                add(RequestDifference("target", .string(a.target.description), .string(b.target.description)))
            }
            compareMembers("", Self.relevant(a.body), Self.relevant(b.body))
            compareIdentities(a, b)
        }
        if a.usesCache != b.usesCache { add(RequestDifference("cache", .bool(a.usesCache), .bool(b.usesCache))) }
    }

    /// What is part of the key.
    private static func relevant(_ body: JSONValue) -> [JSONValue.Member] {
        (body.members ?? []).filter { !ModelRequest.ignoredByDigest.contains($0.key) }
    }

    /// The key holds who answered for the provider when the job was added, but only as part of a digest: what is known is whether
    /// that was the one of now.
    private mutating func compareIdentities(_ a: Side, _ b: Side) {
        guard a.target.provider == b.target.provider, (a.identity == nil) != (b.identity == nil) || differences.isEmpty else { return }
        func shown(_ identity: String?) -> JSONValue { .string(identity.map { "\($0), as configured now" } ?? "configured otherwise") }
        add(RequestDifference("provider", shown(a.identity), shown(b.identity)))
    }

    private mutating func compare(_ path: String, _ a: JSONValue, _ b: JSONValue) {
        guard differences.count < Self.most else { return }
        switch (a, b) {
        case (.object(let first), .object(let second)): compareMembers(path + ".", first, second)
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
                compare(place, first[index], second[index])
            }
        case (.string(let first), .string(let second)): compareTexts(path, first, second)
        default:
            guard a.utf8(sorted: true) != b.utf8(sorted: true) else { return }
            add(RequestDifference(path, ShortValue.of(a), ShortValue.of(b)))
        }
    }

    private mutating func compareMembers(_ prefix: String, _ a: [JSONValue.Member], _ b: [JSONValue.Member]) {
        let others = Dictionary(b.map { (Array($0.key.utf8), $0.value) }, uniquingKeysWith: { first, _ in first })
        for member in a {
            if let other = others[Array(member.key.utf8)] {
                compare(prefix + member.key, member.value, other)
            } else {
                add(RequestDifference(prefix + member.key, ShortValue.of(member.value), nil))
            }
        }
        let own = Set(a.map { Array($0.key.utf8) })
        for member in b where !own.contains(Array(member.key.utf8)) {
            add(RequestDifference(prefix + member.key, nil, ShortValue.of(member.value)))
        }
    }

    /// Texts are compared by their bytes, as the key is made of these: strings that Swift calls equal may differ.
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
