import JobModel
import ModelCalls

/// How the requests of one batch are written: its lines all go to one endpoint (protocols.md 3.6).
struct OpenAIBatchForm: Sendable {
    /// How chats are written; nil for embeddings.
    let chat: ChatForm?
    /// How vectors are asked for.
    let format: EmbeddingFormat
    /// What one embeddings request may hold.
    let limits: ProviderCapabilities

    /// The endpoint, by the name that it has at OpenAI, wherever the server is.
    var endpoint: String {
        switch chat {
        case nil: "/v1/embeddings"
        case let form?: form.usesResponses ? "/v1/responses" : "/v1/chat/completions"
        }
    }

    /// Appends a request's line, its end included.
    /// - Throws: `ModelFailure` (`permanent`, not sent), where the request cannot be sent in a batch.
    func write(_ item: BatchItem, to bytes: inout [UInt8]) throws(ModelFailure) {
        let line: JSONValue = [
            "custom_id": .string(item.id), "method": "POST", "url": .string(endpoint), "body": try body(of: item.request),
        ]
        line.write(to: &bytes, sorted: false)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// How many of what a batch's capacity counts a request has.
    static func count(of request: ModelRequest) -> Int {
        request.kind.isBatchable ? EmbeddingCall.inputs(of: request).count : 1
    }

    private func body(of request: ModelRequest) throws(ModelFailure) -> JSONValue {
        if let form = chat {
            let chat = try ChatRequest(request)
            return form.usesResponses ? try ResponsesRequest(chat).body(streams: false) : chat.body(form, streams: false)
        }
        let calls = EmbeddingCall.plan([(0, request)], limits)
        guard let call = calls.first else { throw ModelFailure.unsent("the request holds no input to embed") }
        guard calls.count == 1 else { throw ModelFailure.unsent("the request holds more inputs than one call may, and a batch makes one") }
        return call.body(format)
    }
}
