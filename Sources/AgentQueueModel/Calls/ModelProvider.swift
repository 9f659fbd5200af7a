/// Answers requests: the seam between the queue and the world.
///
/// A program that embeds the queue can bring its own, for whatever has an answer: a model in the process, another service, a function.
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
    /// Its name: the part of a target before the slash.
    var name: String { get }
    /// Who answers, for the cache key: the provider's kind and base URL, say. An answer serves for the same identity alone.
    var identity: String { get }
    /// What it can do.
    var capabilities: ProviderCapabilities { get }

    /// Answers requests of one kind and target, with one call where they can share one.
    ///
    /// Returns an outcome per request, in their order. Returns promptly with `.cancelled` failures when the task is
    /// cancelled, having aborted the call. Retries nothing but a connection that failed before any byte was sent.
    /// - Parameters:
    ///   - options: how it is to be called.
    ///   - requests: one, or several of a batchable kind.
    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome]

    /// Ends what it keeps running. No call comes after it.
    func shutdown() async
}

extension ModelProvider {
    /// Its name, unless it says otherwise.
    public var identity: String { "own:\(name)" }
    /// What a plain provider can do: texts and embeddings, whole answers only.
    public var capabilities: ProviderCapabilities { ProviderCapabilities() }
    /// Keeps nothing running, unless it says otherwise.
    public func shutdown() async {}
}

/// A provider that can be asked whether it answers.
package protocol CheckableProvider: ModelProvider {
    /// Asks a model for something tiny, for real.
    /// - Parameters:
    ///   - model: nil lets the provider choose one that it knows.
    ///   - timeout: how long all of it may take, in ms.
    func check(model: String?, timeout: Int64) async -> ProviderCheck
}

extension ModelProvider {
    /// Asks a model for something tiny, for real; of a program's own provider, by a request like any other.
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
    /// The most `embed` inputs one call may hold.
    public var maxEmbedInputs: Int
    /// The most tokens that the inputs of one call may have together; nil where it is not known.
    public var maxEmbedTokens: Int?
    /// The most bytes that the inputs of one call may have together.
    public var maxEmbedBytes: Int
    /// Whether an answer's text can come piece by piece.
    public var streams: Bool
    /// Whether a JSON Schema for the answer can be passed on, in which case the provider itself holds the model to it.
    public var hasStructuredOutput: Bool

    /// Makes capabilities.
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

/// How a provider is to be called.
public struct CallOptions: Sendable {
    /// How long the call may take, in ms.
    package var timeout: Int64
    /// The same for the same attempt of the same job; for providers that honour one. Empty sends none.
    public var idempotencyKey: String
    /// Told the answer's text piece by piece, in order, as it comes; nil where no one wants it. With it, a provider that can
    /// stream does. Of several requests, it is told of the first.
    public var onText: (@Sendable (String) -> Void)?

    /// Makes options.
    package init(timeout: Int64, idempotencyKey: String = "", onText: (@Sendable (String) -> Void)? = nil) {
        self.timeout = timeout
        self.idempotencyKey = idempotencyKey
        self.onText = onText
    }
}

/// Whether a model answers, found out by asking it.
package struct ProviderCheck: Sendable, Equatable {
    /// The provider's name in the configuration.
    package var provider: String
    /// The model's name at that provider.
    package var model: String
    /// Why it does not answer; nil where it does.
    package var failure: ModelFailure?
    /// The models that the server lists; nil where it lists none.
    package var models: [String]?
    /// How long finding out took, in ms.
    package var milliseconds: Int64

    /// Makes the result of a check; by default, of one that found nothing wrong.
    package init(provider: String, model: String, failure: ModelFailure? = nil, models: [String]? = nil, milliseconds: Int64 = 0) {
        self.provider = provider
        self.model = model
        self.failure = failure
        self.models = models
        self.milliseconds = milliseconds
    }

    /// Whether it answers.
    package var isAvailable: Bool { failure == nil }
    /// Why it does not, as a sentence.
    package var reason: String? { failure?.message }
}
