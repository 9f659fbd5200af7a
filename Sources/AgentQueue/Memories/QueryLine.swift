import JobModel
import Settings
import VectorMemory

/// A query as a line of JSON says it: `{"text": "…"}`, with any of `vector`, `namespace` (a name or a list of them), `limit`, `mode` and
/// `where`. What it does not say, a template does.
struct QueryLine {
    private enum Key: String, CaseIterable {
        case text
        case vector
        case namespace
        case limit
        case mode
        case filter = "where"
    }

    private(set) var query: MemoryQuery

    /// Reads a line.
    /// - Throws: `InputError` (`badData`), without the line's number.
    init(_ bytes: UnsafeRawBufferPointer, template: MemoryQuery) throws(InputError) {
        query = template
        for member in try JSONValue.members(ofLine: bytes) {
            guard let key = Key(rawValue: member.key) else {
                let hint = Suggestion.hint(for: member.key, in: Key.allCases.map(\.rawValue))
                throw InputError("unknown key \(InvalidText.quoted(member.key))\(hint)", exit: .badData)
            }
            if !member.value.isNull { try apply(member, key) }
        }
        do throws(InputError) {
            try query.checkBeforePaying()
        } catch {
            throw InputError(error.message, exit: .badData)
        }
    }

    private mutating func apply(_ member: JSONValue.Member, _ key: Key) throws(InputError) {
        switch key {
        case .text: query.text = try member.requiredString()
        case .vector: query.vector = try VectorText.numbers(try member.requiredList())
        case .namespace: query.namespaces = try member.requiredInputs()
        case .limit: query.limit = try member.requiredInteger()
        case .mode:
            let name = try member.requiredString()
            guard let mode = MemoryQuery.Mode(rawValue: name) else {
                throw InputError("mode must be vector, words or hybrid, not \(InvalidText.quoted(name))", exit: .badData)
            }
            query.mode = mode
        case .filter:
            let text = try member.requiredString()
            do {
                query.filter = try Expression.parse(text)
            } catch {
                throw InputError("where: \(error.description)", exit: .badData)
            }
        }
    }
}
