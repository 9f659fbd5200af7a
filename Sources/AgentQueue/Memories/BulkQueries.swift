import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings

/// Queries from JSONL, `{"text": "…"}` on each line, in two passes: every line is validated before the first is answered. Memory use is
/// constant.
package struct BulkQueries: Sendable {
    let input: BulkInput
    let template: MemoryQuery

    /// - Parameter template: the values for lines that do not set them.
    package init(input: BulkInput, template: MemoryQuery) {
        self.input = input
        self.template = template
    }

    /// The first pass: validates every line.
    /// - Returns: the number of queries.
    /// - Throws: `InputError`: `line N: …`.
    package func check() throws(InputError) -> Int {
        var reader = LineReader(input)
        var block = LineBlock()
        var count = 0
        while try reader.next(&block) {
            for place in block.lines {
                _ = try query(in: block, at: place)
                count += 1
            }
        }
        return count
    }

    /// The second pass: passes the queries on in slices of `size`, in order.
    /// - Throws: `InputError` if the input is no longer what was checked; the errors of `body`.
    package func forEachSlice(_ size: Int, _ body: ([MemoryQuery]) async throws -> Void) async throws {
        guard !input.hasChanged else { throw InputError("\(input.name) was changed after it was checked", kind: .badData) }
        var reader = LineReader(input)
        var block = LineBlock()
        var slice: [MemoryQuery] = []
        while try reader.next(&block) {
            for place in block.lines {
                slice.append(try query(in: block, at: place))
                guard slice.count >= size else { continue }
                try await body(slice)
                slice.removeAll(keepingCapacity: true)
            }
        }
        if !slice.isEmpty { try await body(slice) }
    }

    private func query(in block: LineBlock, at place: LineBlock.Line) throws(InputError) -> MemoryQuery {
        do throws(InputError) {
            guard !place.isTooLong else { throw LineBlock.tooLong }
            return try block.withBytes(of: place) { (bytes) throws(InputError) in try QueryLine(bytes, template: template).query }
        } catch {
            throw error.inLine(place.number)
        }
    }
}

/// A query as a line of JSON: `{"text": "…"}`, with any of `vector`, `namespace` (a name or a list of names), `limit`, `mode` and `where`.
/// A template has the values for those that it does not set.
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
                throw InputError("unknown key \(InvalidText.quoted(member.key))\(hint)", kind: .badData)
            }
            if !member.value.isNull { try apply(member, key) }
        }
        do throws(InputError) {
            try query.checkBeforePaying()
        } catch {
            throw InputError(error.message, kind: .badData)
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
                throw InputError("mode must be vector, words or hybrid, not \(InvalidText.quoted(name))", kind: .badData)
            }
            query.mode = mode
        case .filter:
            let text = try member.requiredString()
            do {
                query.filter = try Expression.parse(text)
            } catch {
                throw InputError("where: \(error.description)", kind: .badData)
            }
        }
    }
}
