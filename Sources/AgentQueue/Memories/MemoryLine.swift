import JobModel
import QueueStore
import Settings

/// A memory as a line of JSON says it: `{"text": "…", "metadata": {…}}`, with any of `key`, `importance`, `ttl`, `created_at`,
/// `expires_at`, `recalled_at`, `vector`, `namespace`, `model` and `passage_prefix`; or a line of an export.
///
/// `"expires_at": null` and `"ttl": "never"` keep it for ever, `"vector": null` has it found by its words alone; any other null is as if
/// it were not there.
struct MemoryLine: Sendable, Equatable {
    /// The memory; its vector is still as the line says it.
    var draft: MemoryDraft
    /// Where it belongs; nil where the line does not say.
    var namespace: String?
    /// The target that made its vector; nil where the line does not say.
    var model: String?
    /// What stood before the text when its vector was made; nil where the line does not say.
    var passagePrefix: String?
    /// Whether the line says that it has no vector.
    var saysNoVector = false
    /// Whether the line says how much it matters.
    var saysImportance = false

    /// Reads a line.
    /// - Throws: `InputError` (`badData`), without the line's number.
    init(_ bytes: UnsafeRawBufferPointer) throws(InputError) {
        draft = MemoryDraft("")
        for member in try JSONValue.members(ofLine: bytes) {
            guard let key = MemoryKey.named[member.key] else {
                let hint = Suggestion.hint(for: member.key, in: MemoryKey.allCases.map(\.rawValue))
                throw InputError("unknown key \(InvalidText.quoted(member.key))\(hint)", exit: .badData)
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
            guard draft.expiry == .usual else { throw InputError("ttl and expires_at cannot both be given", exit: .badData) }
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
        return .after(try member.requiredDuration())
    }

    private static func time(_ member: JSONValue.Member) throws(InputError) -> Int64 {
        let text = try member.requiredString()
        do {
            return try TimeText.parseRFC3339(text)
        } catch {
            throw InputError("\(member.key) \(error.message)", exit: .badData)
        }
    }

    private static func numbers(_ member: JSONValue.Member) throws(InputError) -> [Float] {
        try VectorText.numbers(try member.requiredList())
    }
}
