/// The wire format in which a client wrote its request.
package enum RequestForm: String, Sendable, Hashable, CaseIterable, Codable {
    /// OpenAI's chat completions.
    case chat
    /// Anthropic's messages.
    case messages
    /// OpenAI's responses.
    case responses
    /// OpenAI's embeddings.
    case embeddings
}

/// A request as its client wrote it, with its bytes untouched. It accompanies the canonical body and is sent to a provider that speaks its
/// form, so that nothing the canonical form cannot express is lost.
package struct NativeRequest: Sendable, Hashable {
    package var form: RequestForm
    /// The request body, a JSON object.
    package var body: String
    /// The value of `anthropic-version`; nil for other forms.
    package var version: String?
    /// The values of `anthropic-beta`, in order.
    package var betas: [String]
    /// Whether no other form says the same, so that only a provider of this form may be asked.
    package var isRequired: Bool

    package init(form: RequestForm, body: String, version: String? = nil, betas: [String] = [], isRequired: Bool = false) {
        self.form = form
        self.body = body
        self.version = version
        self.betas = betas
        self.isRequired = isRequired
    }
}

/// An answer as the provider wrote it, for a client of the same form.
package struct NativeReply: Sendable, Hashable {
    package var form: RequestForm
    /// The response body, a JSON object.
    package var body: String

    package init(form: RequestForm, body: String) {
        self.form = form
        self.body = body
    }
}

extension NativeReply {
    /// The member of a stored reply that holds it.
    package static let member = "native"

    /// The native answer of a stored reply; nil if it has none.
    package init?(stored: JSONValue) {
        guard let form = stored["form"]?.string.flatMap(RequestForm.init), let body = stored["body"]?.string else { return nil }
        self.init(form: form, body: body)
    }

    package var json: JSONValue { ["form": .string(form.rawValue), "body": .string(body)] }
}

/// A provider's error answer as it came.
package struct ErrorAnswer: Sendable, Hashable {
    /// The HTTP status.
    package var status: Int
    /// The form of the body; nil if it is in none, such as a proxy's page.
    package var form: RequestForm?
    /// The body, without secrets.
    package var body: String

    /// The longest body that is kept, in bytes; longer ones are left out, since half of a JSON object helps nobody.
    package static let maxBytes = 64 << 10

    package init(status: Int, form: RequestForm?, body: String) {
        self.status = status
        self.form = form
        self.body = body.utf8.count <= Self.maxBytes ? body : ""
    }
}

extension JSONValue {
    /// A stored reply as programs print it: without the native answer, which says the same once more.
    package var withoutNative: JSONValue {
        guard let members, members.contains(where: { $0.key == NativeReply.member }) else { return self }
        return .object(members.filter { $0.key != NativeReply.member })
    }
}
