import Crypto

/// What is stored of a request, and its cache key.
///
/// The order of members that a user gave is kept, because models see it in schemas and tools, and answer in it: a schema that asks for
/// `reasoning` before `answer` gets another answer than the reverse. For the key, order counts only there. Everywhere else the same request
/// in another order has the same key.
extension ModelRequest {
    /// The body as it is stored and sent. Only the outermost members are sorted, which no model sees: the worker finds the bound of an
    /// answer (`max_tokens`) before the messages, without reading them.
    package var storedBody: String { sorted.text }

    /// The cache key: SHA-256 of kind, target, who answers (`identity`: the provider's kind and base URL) and the canonical body without
    /// the members that do not change the answer. 32 bytes.
    package func digest(identity: String) -> [UInt8] { digest(of: sorted, identity) }

    /// The stored body and the cache key. One sort serves both, because requests come by the million.
    package func sealed(identity: String) -> (body: String, digest: [UInt8]) {
        let sorted = sorted
        return (sorted.text, digest(of: sorted, identity))
    }

    /// The body with its outermost members sorted.
    private var sorted: JSONValue {
        guard case .object(let members) = body else { return body }
        return .object(JSONValue.sorted(members))
    }

    private func digest(of body: JSONValue, _ identity: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        for part in ["agent-queue/1", kind.rawValue, target.description, identity] {
            bytes += part.utf8
            bytes.append(0)
        }
        if case .object(let members) = body {
            Self.writeCanonically(members, to: &bytes)
        } else {
            body.write(to: &bytes, sorted: true)
        }
        return Array(SHA256.hash(data: bytes))
    }

    /// Members that do not change the answer and are therefore left out of the cache key: a request that is streamed, tagged or billed
    /// differently is still the same request.
    package static let ignoredByDigest: Set<String> = [
        "stream", "stream_options", "user", "metadata", "safety_identifier", "service_tier", "store", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention",
    ]

    /// Writes a body as it is digested: the members that count, sorted, but as given inside schemas.
    /// - Parameter members: the body's own, sorted.
    static func writeCanonically(_ members: [JSONValue.Member], to out: inout [UInt8]) {
        out.append(UInt8(ascii: "{"))
        var isFirst = true
        for member in members where !ignoredByDigest.contains(member.key) {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONValue.write(member.key, to: &out)
            out.append(UInt8(ascii: ":"))
            MemberOrder(ofMember: member.key).write(member.value, to: &out)
        }
        out.append(UInt8(ascii: "}"))
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

    /// Writes a value as it is digested.
    func write(_ value: JSONValue, to out: inout [UInt8]) {
        switch (self, value) {
        case (.ignoredOutsideSchemas, .object(let members)):
            out.append(UInt8(ascii: "{"))
            for (index, member) in JSONValue.sorted(members).enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSONValue.write(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                inside(member.key).write(member.value, to: &out)
            }
            out.append(UInt8(ascii: "}"))
        case (.ignoredOutsideSchemas, .array(let elements)):
            out.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                write(element, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        default: value.write(to: &out, sorted: self != .counted)
        }
    }
}
