import Crypto

/// What is stored of a request, and its cache key.
///
/// The order of members that a user gave is kept, because models see it in schemas and tools, and answer in it: a schema that asks for
/// `reasoning` before `answer` gets another answer than the reverse. For the key, order counts only there. Everywhere else the same request
/// in another order has the same key.
extension ModelRequest {
    /// The body as it is stored and sent. Only the outermost members are sorted, which no model sees: the worker finds the bound of an
    /// answer (`max_tokens`) before the messages, without reading them.
    package var storedBody: String { String(decoding: written(identity: "").stored, as: UTF8.self) }

    /// The cache key: SHA-256 of kind, target, who answers (`identity`: the provider's kind and base URL) and the canonical body without
    /// the members that do not change the answer. 32 bytes.
    package func digest(identity: String) -> [UInt8] { Array(SHA256.hash(data: written(identity: identity).digested)) }

    /// The stored body and the cache key, from one pass for both, because requests come by the million.
    package func sealed(identity: String) -> (body: String, digest: [UInt8]) {
        let written = written(identity: identity)
        return (String(decoding: written.stored, as: UTF8.self), Array(SHA256.hash(data: written.digested)))
    }

    private func written(identity: String) -> RequestWriter {
        var writer = RequestWriter(prefix: ["agent-queue/1", kind.rawValue, target.description, identity])
        writer.write(body: body)
        return writer
    }

    /// Members that do not change the answer and are therefore left out of the cache key: a request that is streamed, tagged or billed
    /// differently is still the same request.
    package static let ignoredByDigest: Set<String> = [
        "stream", "stream_options", "user", "metadata", "safety_identifier", "service_tier", "store", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention",
    ]
}

/// Writes a request as it is stored and as it is digested. Texts are written once and copied, since most of a request is text.
struct RequestWriter {
    /// With members as given, the outermost sorted.
    private(set) var stored: [UInt8] = []
    /// Without the members that do not count, the others sorted, but as given inside schemas.
    private(set) var digested: [UInt8] = []

    /// - Parameter prefix: what is digested before the body.
    init(prefix: [String]) {
        stored.reserveCapacity(512)
        digested.reserveCapacity(512)
        for part in prefix {
            digested += part.utf8
            digested.append(0)
        }
    }

    mutating func write(body: JSONValue) {
        guard case .object(let members) = body else { return write(body, .ignored) }
        var isFirst = (stored: true, digested: true)
        stored.append(UInt8(ascii: "{"))
        digested.append(UInt8(ascii: "{"))
        for member in JSONValue.sorted(members) {
            if !isFirst.stored { stored.append(UInt8(ascii: ",")) }
            isFirst.stored = false
            guard !ModelRequest.ignoredByDigest.contains(member.key) else {
                JSONValue.write(member.key, to: &stored)
                stored.append(UInt8(ascii: ":"))
                member.value.write(to: &stored, sorted: false)
                continue
            }
            if !isFirst.digested { digested.append(UInt8(ascii: ",")) }
            isFirst.digested = false
            write(member, MemberOrder(ofMember: member.key))
        }
        stored.append(UInt8(ascii: "}"))
        digested.append(UInt8(ascii: "}"))
    }

    private mutating func append(_ byte: Unicode.Scalar) {
        stored.append(UInt8(ascii: byte))
        digested.append(UInt8(ascii: byte))
    }

    /// - Parameter order: for the member's value.
    private mutating func write(_ member: JSONValue.Member, _ order: MemberOrder) {
        let start = stored.count
        JSONValue.write(member.key, to: &stored)
        stored.append(UInt8(ascii: ":"))
        digested.append(contentsOf: stored[start...])
        write(member.value, order)
    }

    private mutating func write(_ value: JSONValue, _ order: MemberOrder) {
        switch value {
        case .array(let elements) where order != .counted:
            append("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { append(",") }
                write(element, order)
            }
            append("]")
        case .object(let members) where order != .counted: write(members, order)
        default:
            let start = stored.count
            value.write(to: &stored, sorted: false)
            digested.append(contentsOf: stored[start...])
        }
    }

    private mutating func write(_ members: [JSONValue.Member], _ order: MemberOrder) {
        append("{")
        let start = digested.count
        var ends: [Int] = []
        var isSorted = true
        for (index, member) in members.enumerated() {
            if index > 0 {
                ends.append(digested.count)
                append(",")
                if member.key < members[index - 1].key { isSorted = false }
            }
            write(member, order.inside(member.key))
        }
        if !isSorted { sort(members, from: start, ends: ends) }
        append("}")
    }

    /// Sorts members that were digested as given.
    /// - Parameter ends: where they end, without the last.
    private mutating func sort(_ members: [JSONValue.Member], from start: Int, ends: [Int]) {
        let written = Array(digested[start...])
        digested.removeSubrange(start...)
        for (number, index) in members.indices.sorted(by: { members[$0].key < members[$1].key }).enumerated() {
            if number > 0 { digested.append(UInt8(ascii: ",")) }
            let from = index == 0 ? 0 : ends[index - 1] + 1 - start
            let to = index == ends.count ? written.count : ends[index] - start
            digested.append(contentsOf: written[from..<to])
        }
    }
}

/// Whether the order of an object's members is part of the cache key.
package enum MemberOrder: Sendable {
    /// It is not, here and below.
    case ignored
    /// It is not here, but may be below: the value describes tools or an answer's form, and can hold schemas.
    case ignoredOutsideSchemas
    /// It is: the value is a schema.
    case counted

    /// For the value of one of a request's own members, in the forms of OpenAI, Anthropic and the servers that have their own.
    package init(ofMember name: String) {
        self = Self.ofMembers[name] ?? .ignored
    }

    private static let ofMembers: [String: MemberOrder] = [
        "tools": .ignoredOutsideSchemas, "functions": .ignoredOutsideSchemas, "response_format": .ignoredOutsideSchemas,
        "output_config": .ignoredOutsideSchemas, "output_format": .ignoredOutsideSchemas, "text": .ignoredOutsideSchemas,
        "structured_outputs": .ignoredOutsideSchemas, "format": .counted, "json_schema": .counted, "guided_json": .counted,
    ]

    /// For the value of a member of an object for which this holds.
    package func inside(_ name: String) -> MemberOrder {
        guard self == .ignoredOutsideSchemas else { return self }
        return switch name {
        case "schema", "parameters", "input_schema", "inputSchema", "output_schema", "outputSchema", "json": .counted
        default: self
        }
    }
}
