import AgentQueueDialects
import AgentQueueModel
import HTTPTypes

/// Errors as answers.
extension GatewayError {
    /// The error that a client reads for whatever a handler throws. What is unexpected is not shown: it may hold what the client must not
    /// see.
    init(answering error: any Error) {
        if let error = error as? GatewayError {
            self = error
        } else if let error = error as? RequestError {
            self.init(error)
        } else if error is CancellationError {
            self.init(.shuttingDown, "The gateway is stopping: send the request again in a few seconds.")
        } else if let error = error as? StoreError {
            self.init(
                .storageUnavailable,
                error.kind == .full
                    ? "The gateway's disk is full: free space on it." : "The gateway cannot use its database now: send the request again.")
        } else {
            self.init(.crashed, "The gateway failed to answer: its log says why.")
        }
    }

    /// Whether the gateway's operator should hear of it.
    static func isUnexpected(_ error: any Error) -> Bool {
        !(error is GatewayError || error is RequestError || error is CancellationError || error is any UnfinishedAnswer)
    }

    func fields() -> HTTPFields {
        var fields = HTTPFields()
        fields[.contentType] = "application/json"
        for (name, value) in headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        return fields
    }
}

/// The answer to what cannot be read as a request, so that nothing is known of it.
enum UnreadableRequest {
    static func answer(isTooLarge: Bool) -> (head: HTTPResponse, body: [UInt8]) {
        let id = RequestID.random()
        let error =
            isTooLarge
            ? GatewayError(.tooLarge, "The request's head is too large: send at most 32 KiB and 100 headers.")
            : GatewayError(.malformed, "This is no request of HTTP/1.1: use http://, or https:// where the gateway has a certificate.")
        let body = error.body(.openAI, requestID: id.description)
        var fields = error.fields()
        fields[.contentLength] = String(body.count)
        fields[.connection] = "close"
        id.add(to: &fields)
        return (HTTPResponse(status: isTooLarge ? .requestHeaderFieldsTooLarge : .badRequest, headerFields: fields), body)
    }
}
