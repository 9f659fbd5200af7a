import AgentQueueModel

/// The endpoints of OpenAI's API whose requests become jobs. Azure, Mistral, Together, GLM and vLLM take files of the same form, with paths
/// of their own.
package enum BatchEndpoint: String, CaseIterable {
    case chat = "/chat/completions"
    case responses = "/responses"
    case embeddings = "/embeddings"
    case completions = "/completions"

    /// The endpoint of a line's `url`: whatever stands before it (`/v1`, `/v4`, a host) is the provider's affair.
    package static func of(_ url: String) throws(RequestError) -> BatchEndpoint {
        // The path of a chat ends like that of a completion, and is found first.
        if let endpoint = allCases.first(where: { url.hasSuffix($0.rawValue) }) { return endpoint }
        throw RequestError(
            "url \(InvalidText.quoted(url)) is not supported (chat/completions, responses, embeddings and completions are)",
            param: "url")
    }

    /// The endpoint of a line without a `url`, by its body. Mistral and Together are told it once for the whole file.
    package static func of(_ body: [JSONValue.Member]) throws(RequestError) -> BatchEndpoint {
        let keys = Set(body.map(\.key))
        if keys.contains("messages") { return .chat }
        if keys.contains("prompt") { return .completions }
        guard keys.contains("input") else {
            throw RequestError("the body needs messages, or the line a url that says what it is")
        }
        if !keys.isDisjoint(with: ["instructions", "max_output_tokens", "text", "reasoning"]) { return .responses }
        guard body.first(where: { $0.key == "input" })?.value.array != nil else {
            throw RequestError("a line with input needs a url (/v1/embeddings or /v1/responses)")
        }
        return .embeddings
    }
}
