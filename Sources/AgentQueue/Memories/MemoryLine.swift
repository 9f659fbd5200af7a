import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// A memory as a line of JSON: `{"text": "…", "metadata": {…}}`, with any of `key`, `importance`, `ttl`, `created_at`, `expires_at`,
/// `recalled_at`, `vector`, `namespace`, `model` and `passage_prefix`; or a line of an export.
///
/// `"expires_at": null` and `"ttl": "never"` keep it for ever, and with `"vector": null` it is found only by its words. Any other null is
/// treated as absent.
struct MemoryLine: Sendable, Equatable {
    /// The memory. Its vector is still as the line gives it.
    var draft: MemoryDraft
    /// Its namespace; nil if the line has none.
    var namespace: String?
    /// The target that made its vector; nil if the line has none.
    var model: String?
    /// The prefix of the text when its vector was made; nil if the line has none.
    var passagePrefix: String?
    /// Whether the line has `"vector": null`.
    var saysNoVector = false
    /// Whether the line has an importance.
    var saysImportance = false

    /// Reads a line.
    /// - Throws: `InputError` (`badData`), without the line's number.
    init(_ bytes: UnsafeRawBufferPointer) throws(InputError) {
        draft = MemoryDraft("")
        for member in try JSONValue.members(ofLine: bytes) {
            guard let key = MemoryKey.named[member.key] else {
                let hint = Suggestion.hint(for: member.key, in: MemoryKey.allCases.map(\.rawValue))
                throw InputError("unknown key \(InvalidText.quoted(member.key))\(hint)", kind: .badData)
            }
            if member.value.isNull { applyNull(key) } else { try apply(member, key) }
        }
    }

    private mutating func applyNull(_ key: MemoryKey) {
        switch key {
        case .vector: saysNoVector = true
        case .expiresAt: draft.expiry = .never
        default: break
        }
    }

    private mutating func apply(_ member: JSONValue.Member, _ key: MemoryKey) throws(InputError) {
        switch key {
        case .text: draft.text = try member.requiredString()
        case .key: draft.key = try member.requiredString()
        case .metadata: draft.metadata = .object(try member.requiredObject())
        case .importance:
            draft.importance = try member.requiredNumber()
            saysImportance = true
        case .ttl, .expiresAt:
            guard draft.expiry == .usual else { throw InputError("ttl and expires_at cannot both be given", kind: .badData) }
            draft.expiry = key == .ttl ? try Self.timeToLive(member) : .at(try Self.time(member))
        case .createdAt: draft.createdAt = try Self.time(member)
        case .recalledAt: draft.recalledAt = try Self.time(member)
        case .vector: draft.vector = .own(try Self.numbers(member))
        case .namespace: namespace = try member.requiredString()
        case .model: model = try member.requiredString()
        case .passagePrefix: passagePrefix = try member.requiredString()
        case .id: break
        }
    }

    private static func timeToLive(_ member: JSONValue.Member) throws(InputError) -> MemoryExpiry {
        if case .string("never") = member.value { return .never }
        return .after(try member.requiredDuration().milliseconds)
    }

    private static func time(_ member: JSONValue.Member) throws(InputError) -> Int64 {
        let text = try member.requiredString()
        do {
            return try TimeText.parseRFC3339(text)
        } catch {
            throw InputError("\(member.key) \(error.message)", kind: .badData)
        }
    }

    private static func numbers(_ member: JSONValue.Member) throws(InputError) -> [Float] {
        try VectorText.numbers(try member.requiredList())
    }
}

enum MemoryKey: String, CaseIterable {
    case text
    case key
    case metadata
    case importance
    case ttl
    case createdAt = "created_at"
    case expiresAt = "expires_at"
    case vector
    case namespace
    case model
    case passagePrefix = "passage_prefix"
    case recalledAt = "recalled_at"
    // In an export. It has no meaning in another database, and is ignored.
    case id

    /// By name. A switch over strings would compare with one after another.
    static let named: [String: MemoryKey] = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}

/// Vectors as people and scripts write them: a JSON list of numbers.
package enum VectorText {
    /// Reads a list. Its length is not checked here: the check of the memory or the query reports an empty or too long vector.
    /// - Throws: `InputError` (`badData`).
    package static func parse(_ text: String) throws(InputError) -> [Float] {
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw InputError("the vector is \(error.description)", kind: .badData)
        }
        guard case .array(let elements) = value else {
            throw InputError("the vector must be a list of numbers, not \(value.kindName)", kind: .badData)
        }
        return try numbers(elements)
    }

    /// The numbers of a list.
    static func numbers(_ elements: [JSONValue]) throws(InputError) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard let number = element.number else {
                throw InputError("value \(index + 1) of the vector must be a number, not \(element.kindName)", kind: .badData)
            }
            values.append(Float(number))
        }
        return values
    }

    /// The vector with the shortest numbers that read back as the same values.
    package static func json(_ vector: [Float]) -> JSONValue {
        .array(
            vector.map { value in
                let text = "\(value)"
                // Parsing goes through a 64-bit float, which rounds a few numbers to a neighbouring value.
                guard let double = Double(text), Float(double) == value else { return .double(Double(value)) }
                return .digits(text)
            })
    }
}
