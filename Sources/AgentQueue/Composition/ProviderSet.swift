import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings

/// The providers that a configuration makes possible, over one HTTP client, and those of the program that embeds the queue.
package struct ProviderSet: Sendable {
    /// Those that can be called.
    package let providers: [any ModelProvider]
    /// Those that cannot, by name, with the reason: a missing key or program, say. Their lanes wait, or their fallbacks serve.
    package let unavailable: [String: String]
    /// The processes that they run.
    package let children: ChildProcessRegister
    /// Those that are this set's own to end.
    private let made: [any ModelProvider]
    private let transport: HTTPTransport

    /// Makes what can be made; calls nothing.
    /// - Parameters:
    ///   - environment: where keys and programs are looked up.
    ///   - own: the embedding program's, each in place of a configured one of its name. They are the program's to end.
    package init(_ settings: Settings, environment: [String: String], own: [any ModelProvider] = []) {
        let http = settings.http
        let factory = ProviderFactory(
            transport: HTTPTransport(
                HTTPTransport.Configuration(
                    poolSize: http.connectionPoolSize, connectTimeout: http.connectTimeout.milliseconds, maxRetries: http.maxRetries)),
            environment: environment, children: ChildProcessRegister())
        var providers: [any ModelProvider] = []
        var unavailable: [String: String] = [:]
        let taken = Set(own.map(\.name))
        for (name, provider) in settings.providers where !taken.contains(name) {
            do {
                providers.append(try factory.make(name, provider))
            } catch {
                unavailable[name] = error.reason
            }
        }
        made = providers
        self.providers = providers + own
        self.unavailable = unavailable
        children = factory.children
        transport = factory.transport
    }

    /// The names of those that can be called.
    package var names: Set<String> { Set(providers.map(\.name)) }

    /// Ends the programs and the HTTP client, after the last call.
    package func shutdown() async throws {
        for provider in made { await provider.shutdown() }
        try await transport.shutdown()
    }
}

/// Makes providers of their settings.
struct ProviderFactory {
    let transport: HTTPTransport
    /// Where keys and programs are looked up.
    let environment: [String: String]
    let children: ChildProcessRegister

    /// Why a provider cannot be called.
    struct Unavailable: Error {
        /// A clause that says what is missing, and where.
        var reason: String
    }

    func make(_ name: String, _ settings: ProviderSettings) throws(Unavailable) -> any ModelProvider {
        let key = try key(of: settings)
        switch settings.kind {
        case .openai:
            guard let baseURL = settings.baseURL else { throw Unavailable(reason: "it has no base URL") }
            return OpenAIProvider(
                name: name, baseURL: baseURL, apiKey: key,
                maxEmbedInputs: settings.embeddings.maxInputs ?? ProviderCapabilities().maxEmbedInputs,
                maxEmbedTokens: settings.embeddings.maxTokens, maxEmbedBytes: settings.embeddings.maxBytes.map { Int(clamping: $0) },
                api: settings.openAIAPI, transport: transport)
        case .anthropic:
            guard let baseURL = settings.baseURL else { throw Unavailable(reason: "it has no base URL") }
            return AnthropicProvider(
                name: name, baseURL: baseURL, apiKey: key, version: settings.apiVersion ?? "2023-06-01",
                promptCache: settings.anthropicPromptCache, transport: transport)
        case .claudeCode:
            let command = settings.command ?? "claude"
            switch ClaudeCodeProvider.locate(command, environment: environment) {
            case .failure(let missing): throw Unavailable(reason: missing.message)
            case .success(let path):
                return ClaudeCodeProvider(
                    name: name, command: path, environment: environment, apiKey: key, baseURL: settings.baseURL,
                    isWarm: settings.warm ?? true, register: children)
            }
        }
    }

    private func key(of settings: ProviderSettings) throws(Unavailable) -> String? {
        switch settings.resolveAPIKey(environment: environment) {
        case .notNeeded: nil
        case .found(let secret): secret.reveal()
        case .missing(let reason): throw Unavailable(reason: reason)
        }
    }
}

extension ProviderSettings {
    fileprivate var openAIAPI: OpenAIAPI {
        switch api ?? .automatic {
        case .automatic: .automatic
        case .chat: .chat
        case .responses: .responses
        }
    }

    fileprivate var anthropicPromptCache: PromptCache {
        switch promptCache ?? .off {
        case .off: .off
        case .fiveMinutes: .fiveMinutes
        case .oneHour: .oneHour
        }
    }
}
