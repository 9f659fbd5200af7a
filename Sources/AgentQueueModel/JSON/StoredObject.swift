/// A stored value that cannot be read back: the database was damaged, or changed by hand. What it meant is not guessed, because a job that
/// runs with half of its options does something that nobody asked for.
package struct DamagedValue: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, as a clause: `"memory.ttl_ms" is a list, not a whole number`.
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Reads the members of a JSON object that the project itself has written. A member that is absent has its default; one of another type
/// than was written is damage.
package struct StoredObject: Sendable {
    private let json: JSONValue
    private let name: String

    /// - Parameter name: what precedes the members' keys in messages; empty for nothing.
    /// - Throws: `DamagedValue` if this is no object.
    package init(_ json: JSONValue, _ name: String) throws(DamagedValue) {
        guard json.members != nil else { throw DamagedValue("\"\(name)\" is \(json.kindName), not an object") }
        self.json = json
        self.name = name
    }

    /// A member's value; nil if there is none.
    package subscript(key: String) -> JSONValue? { json[key] }

    package func string(_ key: String) throws(DamagedValue) -> String? { try value(key, "a string", \.string) }

    package func bool(_ key: String) throws(DamagedValue) -> Bool? { try value(key, "a truth value", \.bool) }

    package func number(_ key: String) throws(DamagedValue) -> Double? { try value(key, "a number", \.number) }

    package func integer(_ key: String) throws(DamagedValue) -> Int64? { try value(key, "a whole number") { $0.int.map(Int64.init) } }

    /// Nil if there is no such member.
    package func strings(_ key: String) throws(DamagedValue) -> [String]? { try list(key, "strings", \.string) }

    /// Nil if there is no such member.
    package func integers(_ key: String) throws(DamagedValue) -> [Int64]? { try list(key, "whole numbers") { $0.int.map(Int64.init) } }

    /// An error about a member.
    package func damage(_ key: String, _ wanted: String) -> DamagedValue {
        DamagedValue("\"\(name.isEmpty ? "" : name + ".")\(key)\" is \(json[key]?.kindName ?? "missing"), not \(wanted)")
    }

    private func value<Value>(_ key: String, _ wanted: String, _ read: (JSONValue) -> Value?) throws(DamagedValue) -> Value? {
        guard let value = json[key] else { return nil }
        guard let value = read(value) else { throw damage(key, wanted) }
        return value
    }

    private func list<Element>(_ key: String, _ elements: String, _ read: (JSONValue) -> Element?) throws(DamagedValue) -> [Element]? {
        guard let value = json[key] else { return nil }
        guard let all = value.array else { throw damage(key, "a list of \(elements)") }
        let read = all.compactMap(read)
        guard read.count == all.count else {
            throw DamagedValue("\"\(name.isEmpty ? "" : name + ".")\(key)\" is not a list of \(elements) alone")
        }
        return read
    }
}
