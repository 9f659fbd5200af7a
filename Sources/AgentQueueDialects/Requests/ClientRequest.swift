import AgentQueueModel
import Crypto

/// A client's request, checked in its own dialect, with what becomes of it.
package struct ClientRequest: Sendable {
    /// What becomes of what the target cannot be asked for.
    package enum Unsupported: Sendable {
        /// The request is refused.
        case refuse
        /// It is left out and named.
        case drop
    }

    package let form: RequestForm
    /// The model as the client calls it.
    package let model: String
    /// The body as it came.
    package let body: JSONValue
    /// The body of a `ModelRequest`: without the model, and without what is about the answer's transport.
    package private(set) var canonical: JSONValue
    /// The request for a provider that speaks its form.
    package let native: NativeRequest
    /// Whether the canonical form gives the request back, so that they share a digest.
    package let isCanonical: Bool
    /// What was left out for a target that cannot be asked for it, by the client's names.
    package private(set) var dropped: [String]

    /// Reads and checks a request.
    /// - Parameters:
    ///   - version: `anthropic-version`.
    ///   - betas: the elements of `anthropic-beta`.
    ///   - target: the form that the target's provider speaks; nil if it speaks none, or it is not known.
    ///   - earlier: the items that `previous_response_id` stands for, which come before those of `input`.
    ///   - refusal: why a target that speaks no form cannot be asked what canonical members say; nil if it can. It is also given single
    ///     members, to find the one that is to blame.
    /// - Throws: `RequestError`.
    package init(
        form: RequestForm, body bytes: [UInt8], version: String? = nil, betas: [String] = [], unsupported: Unsupported = .refuse,
        target: RequestForm?, earlier: [JSONValue]? = nil, refusal: (([JSONValue.Member]) -> ModelFailure?)? = nil
    ) throws(RequestError) {
        self.form = form
        let sent = try Self.parse(bytes)
        model = try Self.model(of: sent)
        try Self.check(sent, form)
        var raw = try RawBody(bytes)
        if form == .responses { raw = Self.kept(raw, sent, earlier) }
        // Each answer is a job of its own.
        if form == .chat, let n = sent.given("n"), n != 1 { raw = raw.removing("n") }
        body = earlier == nil ? sent : try Self.parse(raw.bytes)

        var canonical = try CanonicalForm(body, form, target == form ? .keep : unsupported == .drop ? .drop : .refuse)
        if target != form { try canonical.fit(target, refusal) }
        self.canonical = .object(canonical.members)
        dropped = canonical.dropped
        isCanonical = canonical.isExact && betas.isEmpty
        if form == .responses, target == form, Self.wantsThoughts(sent, model) {
            let include = (body["include"]?.array ?? []).filter { $0 != Self.thoughts }
            raw = raw.replacing("include", with: .array(include + [Self.thoughts]))
        }
        native = NativeRequest(
            form: form, body: raw.text, version: version, betas: betas, isRequired: target == form && !canonical.hasCounterpart)
    }

    /// Reads a body's JSON: at most ``JSONValue/maxDepth`` deep, with no member twice.
    private static func parse(_ bytes: [UInt8]) throws(RequestError) -> JSONValue {
        let body: JSONValue
        do throws(JSONError) {
            body = try JSONValue.parse(bytes)
        } catch {
            throw RequestError("the body is \(error.description)")
        }
        guard body.members != nil else { throw RequestError("the body must be a JSON object, not \(body.kindName)") }
        return body
    }

    /// The model that a body names.
    /// - Throws: `RequestError`.
    package static func model(of bytes: [UInt8]) throws(RequestError) -> String {
        let raw = try RawBody(bytes)
        guard let written = raw.written("model") else { throw missingModel }
        return try model(of: .object([.init("model", try parseMember(Array(written), "model"))]))
    }

    private static func parseMember(_ bytes: [UInt8], _ name: String) throws(RequestError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue.parse(bytes)
        } catch {
            throw RequestError("\(name) is \(error.description)", param: name)
        }
    }

    private static var missingModel: RequestError { RequestError("model is missing: GET /v1/models lists them", param: "model") }

    private static func model(of body: JSONValue) throws(RequestError) -> String {
        guard let value = body.given("model") else { throw missingModel }
        guard let model = value.string else { throw RequestError("model must be a string, not \(value.kindName)", param: "model") }
        guard !model.isEmpty else { throw missingModel }
        return model
    }

    private static func check(_ body: JSONValue, _ form: RequestForm) throws(RequestError) {
        switch form {
        case .chat: try ChatCheck.check(body)
        case .messages: try MessagesCheck.check(body)
        case .responses: try ResponsesCheck.check(body)
        case .embeddings: try EmbeddingsCheck.check(body)
        }
    }

    /// Checks that answers can be held against a schema.
    static func check(schema: JSONValue, _ param: String) throws(RequestError) {
        do throws(JSONSchemaError) {
            try GivenSchema.compile(GivenSchema.unwrapped(schema))
        } catch {
            throw RequestError("\(param) cannot be used: \(error.description)", param: param)
        }
    }

    private static let thoughts: JSONValue = "reasoning.encrypted_content"

    /// Whether the provider is to send the model's thoughts, encrypted: it keeps nothing, so without them a later turn could not hold what
    /// was thought. Models that do not reason refuse to be asked for thoughts.
    private static func wantsThoughts(_ body: JSONValue, _ model: String) -> Bool {
        guard body["store"] != false else { return false }
        if let effort = body.given("reasoning") { return effort["effort"] != "none" }
        let name = model.split(separator: "/").last ?? ""
        if name.hasPrefix("gpt-"), let version = name.dropFirst(4).first?.wholeNumberValue { return version >= 5 && !name.contains("chat") }
        return name.first == "o" && name.dropFirst().first?.isWholeNumber == true
    }

    /// A Responses request as it is sent on: it is kept here, under our id, and the provider keeps nothing.
    private static func kept(_ raw: RawBody, _ body: JSONValue, _ earlier: [JSONValue]?) -> RawBody {
        let kept = raw.replacing("store", with: false)
        guard let earlier else { return kept }
        let own: [JSONValue] =
            switch body.given("input") {
            case .array(let items): items
            case .string(let text): [["role": "user", "content": .string(text)]]
            default: []
            }
        return kept.removing("previous_response_id").replacing("input", with: .array(earlier + own))
    }
}

/// What a request says about its answer.
extension ClientRequest {
    /// Whether the answer is to be streamed.
    package var streams: Bool { form != .embeddings && body["stream"] == true }

    /// Whether the stream is to say what it used.
    package var includesUsage: Bool { body["stream_options"]?["include_usage"] == true }

    /// How many answers are wanted.
    package var n: Int { form == .chat ? body["n"]?.int ?? 1 : 1 }

    /// Whether vectors are wanted as base64.
    package var isBase64: Bool { form == .embeddings && body["encoding_format"] == "base64" }

    package var metadata: JSONValue? { body.given("metadata") }
    package var serviceTier: String? { body["service_tier"]?.string }
    /// The schema that the answer must fit.
    package var schema: JSONValue? { canonical["response_format"]?["json_schema"]?["schema"] }

    /// What identifies the request among a key's, whether it is streamed or not: SHA-256.
    package func attachDigest(key: Int64, route: String, sample: Int) -> [UInt8] {
        var hash = SHA256()
        let parts = ["agent-queue/attach/1", "\(key)", route, native.version ?? "", native.betas.joined(separator: ","), "\(sample)"]
        for part in parts { hash.update(data: Array(part.utf8) + [0]) }
        let said = (body.members ?? []).filter { $0.key != "stream" && $0.key != "stream_options" }
        hash.update(data: JSONValue.object(said).utf8(sorted: true))
        return Array(hash.finalize())
    }
}
