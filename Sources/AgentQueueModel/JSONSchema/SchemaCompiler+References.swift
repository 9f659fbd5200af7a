extension SchemaCompiler {
    /// The maximum number of schemas that can apply to one value through references.
    private static let maxChain = 60

    /// Compiles the targets of references, wherever they are, and links them.
    mutating func resolveReferences() throws(JSONSchemaError) {
        while let reference = references.popLast() {
            nodes[reference.node].inPlace.append(.reference(try target(of: reference)))
        }
    }

    private mutating func target(of reference: Reference) throws(JSONSchemaError) -> Int {
        func wrong(_ problem: String) -> JSONSchemaError {
            JSONSchemaError("$ref \(ShownJSON.name(reference.text)) \(problem)", at: reference.pointer)
        }
        let parts = reference.text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let base = parts.first.map(String.init) ?? ""
        guard base.isEmpty || base == ownID else { throw wrong("leads out of the schema; only references within it are supported") }
        guard let fragment = JSONPointer.percentDecoded(parts.count > 1 ? parts[1] : "") else { throw wrong("has a broken escape") }
        if !fragment.isEmpty, !fragment.hasPrefix("/") {
            guard let place = anchors[ExactText(fragment)] else { throw wrong("names an anchor that is not there") }
            return place
        }
        guard let steps = JSONPointer.parts(fragment) else { throw wrong("has a broken escape") }
        let pointer = steps.reduce(into: "") { $0 += "/" + JSONPointer.escaped($1) }
        if let place = places[ExactText(pointer)] { return place }
        var value = root
        for step in steps {
            guard let next = JSONPointer.step(step, in: value) else { throw wrong("leads to nothing") }
            value = next
        }
        return try schema(value, at: pointer, depth: steps.count)
    }

    private var ownID: String? {
        root["$id"]?.string.map { id in id.hasSuffix("#") ? String(id.dropLast()) : id }
    }

    /// Refuses schemas that refer to themselves without descending into the value, since validating would never end.
    func refuseEndlessness() throws(JSONSchemaError) {
        var pointers = Array(repeating: "", count: nodes.count)
        for (pointer, place) in places { pointers[place] = pointer.text }
        // The length of the longest chain that starts at a schema; 0 while it is being computed.
        var lengths: [Int: Int] = [:]
        for place in nodes.indices { _ = try chain(from: place, depth: 1, &lengths, pointers) }
    }

    private func chain(
        from place: Int, depth: Int, _ lengths: inout [Int: Int], _ pointers: [String]
    ) throws(JSONSchemaError) -> Int {
        if let known = lengths[place] {
            guard known > 0 else { throw JSONSchemaError("the schema leads back to itself without end", at: pointers[place]) }
            guard depth + known - 1 <= Self.maxChain else { throw tooLong(pointers[place]) }
            return known
        }
        guard depth <= Self.maxChain else { throw tooLong(pointers[place]) }
        lengths[place] = 0
        var longest = 0
        for rule in nodes[place].inPlace {
            for next in rule.schemas { longest = max(longest, try chain(from: next, depth: depth + 1, &lengths, pointers)) }
        }
        for dependent in nodes[place].object.dependents {
            longest = max(longest, try chain(from: dependent.schema, depth: depth + 1, &lengths, pointers))
        }
        lengths[place] = longest + 1
        return longest + 1
    }

    private func tooLong(_ pointer: String) -> JSONSchemaError {
        JSONSchemaError("more than \(Self.maxChain) schemas for one value lead to each other", at: pointer)
    }
}

/// JSON pointers (RFC 6901).
enum JSONPointer {
    /// A member's name as a token of a pointer.
    static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The tokens of a pointer; nil if it is malformed.
    static func parts(_ pointer: String) -> [String]? {
        if pointer.isEmpty { return [] }
        guard pointer.unicodeScalars.first == "/" else { return nil }
        var parts: [String] = []
        for part in pointer.unicodeScalars.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let plain = unescaped(part) else { return nil }
            parts.append(plain)
        }
        return parts
    }

    private static func unescaped(_ part: Substring.UnicodeScalarView) -> String? {
        var text = ""
        var rest = part
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                text.unicodeScalars.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": text += "~"
            case "1": text += "/"
            default: return nil
            }
        }
        return text
    }

    /// The part of a value that a token refers to; nil if there is none.
    static func step(_ part: String, in value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let members): members.first { $0.key.utf8.elementsEqual(part.utf8) }?.value
        case .array(let elements): Int(part).flatMap { String($0) == part && elements.indices.contains($0) ? elements[$0] : nil }
        default: nil
        }
    }

    /// A URI fragment with its percent-encoding removed; nil if that is malformed or not UTF-8.
    static func percentDecoded(_ fragment: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = fragment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
