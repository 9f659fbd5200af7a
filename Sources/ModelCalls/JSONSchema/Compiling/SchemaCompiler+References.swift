import JobModel

extension SchemaCompiler {
    /// How many schemas for one value may lead to each other.
    private static let maxChain = 60

    /// Compiles what references lead to, wherever it stands, and links them.
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
            guard let place = anchors[fragment] else { throw wrong("names an anchor that is not there") }
            return place
        }
        guard let steps = JSONPointer.parts(fragment) else { throw wrong("has a broken escape") }
        let pointer = steps.reduce(into: "") { $0 += "/" + JSONPointer.escaped($1) }
        if let place = places[pointer] { return place }
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

    /// Refuses schemas that lead to themselves without going into the value: no value could ever be checked.
    func refuseEndlessness() throws(JSONSchemaError) {
        var pointers = Array(repeating: "", count: nodes.count)
        for (pointer, place) in places { pointers[place] = pointer }
        // The length of the longest chain from a schema on; 0 while it is being found.
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
