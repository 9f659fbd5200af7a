import AgentQueueDialects
import AgentQueueModel

/// A client's own request as it is sent: its bytes, but for the model's name and whether the answer is streamed.
struct NativeCall: Sendable {
    private let body: RawBody

    /// - Parameter model: the model's name at the provider.
    init(_ native: NativeRequest, model: String) throws(ModelFailure) {
        do throws(RequestError) {
            let named = try RawBody(native.body).replacing("model", with: .string(model))
            // The job is in the background already.
            body = native.form == .responses ? named.removing("background") : named
        } catch {
            throw ModelFailure.unsent("the stored request is damaged: \(error.message)")
        }
    }

    /// The bytes to send.
    /// - Parameters:
    ///   - countsStream: whether a stream is to end with the tokens, as chat completions do only if asked.
    ///   - keepsStream: whether a request that says that it is not streamed goes on saying so; a batch takes no word of it.
    func bytes(streams: Bool, countsStream: Bool = false, keepsStream: Bool = true) -> [UInt8] {
        guard streams else {
            // Without a stream, its options are refused.
            let plain = body.removing("stream_options")
            guard keepsStream else { return plain.removing("stream").bytes }
            return (plain.written("stream") == nil ? plain : plain.replacing("stream", with: false)).bytes
        }
        let streamed = body.replacing("stream", with: true)
        guard countsStream else { return streamed.bytes }
        let given = streamed.written("stream_options").flatMap { try? JSONValue.parse(Array($0)) }
        let others = (given?.members ?? []).filter { $0.key != "include_usage" }
        return streamed.replacing("stream_options", with: .object(others + [.init("include_usage", true)])).bytes
    }
}

/// What of an answer is kept as it came, for the client that waits for it.
struct KeptAnswer: Sendable {
    /// The form of the answer.
    let form: RequestForm
    /// Whether the reply is kept, because the client wants it in this form. An error is kept in any case.
    let keepsReply: Bool

    init(form: RequestForm, keepsReply: Bool) {
        self.form = form
        self.keepsReply = keepsReply
    }

    /// Nil if no client waits: then nothing is kept.
    init?(_ request: ModelRequest, form: RequestForm) {
        guard let client = request.native?.form else { return nil }
        self.form = form
        keepsReply = client == form
    }

    /// The form of the events that are wanted as they come; nil if none are.
    var events: RequestForm? { keepsReply ? form : nil }

    /// An error as it came.
    /// - Parameter isKnown: whether the body is one of this form.
    func error(_ answer: HTTPAnswer, status: Int? = nil, isKnown: Bool, _ redaction: Redaction) -> ErrorAnswer {
        let isShort = answer.body.count <= ErrorAnswer.maxBytes
        return ErrorAnswer(
            status: status ?? answer.status, form: isKnown && isShort ? form : nil,
            body: isShort ? redaction.withoutSecrets(answer.body) : "")
    }

    /// A refusal of the model, which the client is to see as the reply that it is.
    func refusal(_ failure: ModelFailure, native: String?) -> ErrorAnswer? {
        guard failure.failure == .refused, keepsReply, let native else { return nil }
        return ErrorAnswer(status: 200, form: form, body: native)
    }
}
