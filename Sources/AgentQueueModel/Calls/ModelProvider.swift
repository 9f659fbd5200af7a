/// Answers requests: the boundary between the queue and the models.
///
/// A program that embeds the queue can bring its own provider for anything that produces answers: a model in the process, another service,
/// a function.
///
/// ```swift
/// struct Echo: ModelProvider {
///     let name = "echo"
///     func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
///         requests.map { .reply(ModelReply($0.prompt ?? "")) }
///     }
/// }
/// ```
public protocol ModelProvider: Sendable {
    /// The provider's name: the part of a target before the slash.
    var name: String { get }
    /// Who answers, as part of the cache key, for example the provider's kind and base URL. A cached answer only serves requests with the
    /// same identity.
    var identity: String { get }
    /// What the provider can do.
    var capabilities: ProviderCapabilities { get }

    /// Answers requests of one kind and target, with a single call if they can share one.
    ///
    /// An implementation returns one outcome per request, in the same order. When its task is cancelled, it aborts the call and returns
    /// promptly with `.cancelled` failures. It does not retry, except for a connection that failed before any byte was sent.
    /// - Parameters:
    ///   - requests: one request, or several of a kind that can share a call.
    ///   - options: how to make the call.
    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome]

    /// Ends whatever the provider keeps running. No call follows it.
    func shutdown() async
}

extension ModelProvider {
    /// By default, an identity made of the provider's name.
    public var identity: String { "own:\(name)" }
    /// By default, texts and embeddings, without streaming.
    public var capabilities: ProviderCapabilities { ProviderCapabilities() }
    /// By default, does nothing.
    public func shutdown() async {}
}

/// A provider that can be asked whether it works.
package protocol CheckableProvider: ModelProvider {
    /// Sends a model a tiny real request.
    /// - Parameters:
    ///   - model: nil lets the provider choose a model that it knows.
    ///   - timeout: how long the whole check may take, in ms.
    func check(model: String?, timeout: Int64) async -> ProviderCheck
}

extension ModelProvider {
    /// Sends a model a tiny real request. A provider that cannot be checked gets an ordinary one.
    package func checked(model: String?, timeout: Int64) async -> ProviderCheck {
        if let provider = self as? any CheckableProvider { return await provider.check(model: model, timeout: timeout) }
        let target = Target(provider: name, model: model ?? "default")
        let body: JSONValue = ["messages": [["role": "user", "content": "Say yes."]], "max_tokens": 1]
        let outcome = await respond(to: [ModelRequest(kind: .generate, target: target, body: body)], CallOptions(timeout: timeout)).first
        guard case .failure(let failure)? = outcome else { return ProviderCheck(provider: name, model: target.model) }
        return ProviderCheck(provider: name, model: target.model, failure: failure)
    }
}

/// What a provider can do.
public struct ProviderCapabilities: Sendable, Equatable {
    /// The maximum number of `embed` inputs in one call; 2,048 by default.
    public var maxEmbedInputs: Int
    /// The maximum number of tokens of all inputs in one call; nil (the default) if it is not known.
    public var maxEmbedTokens: Int?
    /// The maximum number of bytes of all inputs in one call; 8 MiB by default.
    public var maxEmbedBytes: Int
    /// Whether the text of an answer can arrive piece by piece; false by default.
    public var streams: Bool
    /// Whether a JSON Schema for the answer can be passed on, so that the provider itself makes the model follow it; false by default.
    public var hasStructuredOutput: Bool
    /// The wire formats that it speaks itself, so that a request in one of them can be passed on as its client wrote it.
    package var forms: Set<RequestForm> = []

    /// Creates capabilities. The defaults suit a plain provider.
    public init(
        maxEmbedInputs: Int = 2_048, maxEmbedTokens: Int? = nil, maxEmbedBytes: Int = 8 << 20, streams: Bool = false,
        hasStructuredOutput: Bool = false
    ) {
        self.maxEmbedInputs = maxEmbedInputs
        self.maxEmbedTokens = maxEmbedTokens
        self.maxEmbedBytes = maxEmbedBytes
        self.streams = streams
        self.hasStructuredOutput = hasStructuredOutput
    }
}

/// How to make a call.
public struct CallOptions: Sendable {
    /// How long the call may take, in ms.
    package var timeout: Int64
    /// A key that is the same for the same attempt of the same job, for providers that support idempotency. Empty sends none.
    public var idempotencyKey: String
    /// Receives the pieces of the answer, in order, as they arrive; nil if nobody wants them. If it is set, a provider that can stream does
    /// so. If there are several requests, it receives the answer to the first.
    package var onEvent: (@Sendable (ReplyEvent) -> Void)?

    package init(timeout: Int64, idempotencyKey: String = "", onEvent: (@Sendable (ReplyEvent) -> Void)? = nil) {
        self.timeout = timeout
        self.idempotencyKey = idempotencyKey
        self.onEvent = onEvent
    }

    /// Creates options with a receiver of the answer's text alone.
    package init(timeout: Int64, idempotencyKey: String = "", onText: (@Sendable (String) -> Void)?) {
        self.init(timeout: timeout, idempotencyKey: idempotencyKey)
        self.onText = onText
    }

    /// Receives the text of the answer piece by piece, in order, as it arrives; nil if nobody wants it. If it is set, a provider that can
    /// stream does so. If there are several requests, it receives the text of the first.
    public var onText: (@Sendable (String) -> Void)? {
        get {
            guard let onEvent else { return nil }
            return { text in onEvent(.text(text)) }
        }
        set {
            guard let newValue else {
                onEvent = nil
                return
            }
            onEvent = { event in
                if case .text(let text) = event { newValue(text) }
            }
        }
    }
}

/// Whether a model answers, determined by asking it.
package struct ProviderCheck: Sendable, Equatable {
    /// The provider's name in the configuration.
    package var provider: String
    /// The model's name at that provider.
    package var model: String
    /// Why it does not answer; nil if it does.
    package var failure: ModelFailure?
    /// The models the server lists; nil if it lists none.
    package var models: [String]?
    /// How long the check took, in ms.
    package var milliseconds: Int64

    /// By default, the result of a check that found nothing wrong.
    package init(provider: String, model: String, failure: ModelFailure? = nil, models: [String]? = nil, milliseconds: Int64 = 0) {
        self.provider = provider
        self.model = model
        self.failure = failure
        self.models = models
        self.milliseconds = milliseconds
    }

    package var isAvailable: Bool { failure == nil }
    /// Why it does not answer, as a sentence.
    package var reason: String? { failure?.message }
}
