import AgentQueueDialects
import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings

/// The available providers of a configuration, which share HTTP clients, and those of the embedding program.
package struct ProviderSet: Sendable {
    /// The providers that can be called.
    package let providers: [any ModelProvider]
    /// The providers that cannot be called, by name, with the reason, such as a missing key or program. Their lanes wait, or their
    /// fallbacks are used.
    package let unavailable: [String: String]
    /// Their child processes.
    package let children: ChildProcessRegister
    /// The providers that this set made and must shut down.
    private let made: [any ModelProvider]
    private let transports: [HTTPTransport]

    /// Makes the available providers; calls nothing.
    /// - Parameters:
    ///   - environment: where keys and programs are looked up.
    ///   - own: the embedding program's providers. One with the name of a configured provider replaces it. The program shuts them down.
    package init(_ settings: Settings, environment: [String: String], own: [any ModelProvider] = []) {
        let http = settings.http
        var transports = TransportSet(
            HTTPTransport.Configuration(
                poolSize: max(http.connectionPoolSize, settings.maxCalls), connectTimeout: http.connectTimeout.milliseconds,
                maxRetries: http.maxRetries))
        let factory = ProviderFactory(settings: settings, environment: environment, children: ChildProcessRegister())
        var providers: [any ModelProvider] = []
        var unavailable: [String: String] = [:]
        let taken = Set(own.map(\.name))
        for (name, provider) in settings.providers where !taken.contains(name) {
            do {
                providers.append(try factory.make(name, provider, &transports))
            } catch {
                unavailable[name] = error.reason
            }
        }
        made = providers
        self.providers = providers + own
        self.unavailable = unavailable
        children = factory.children
        self.transports = transports.transports
    }

    package var names: Set<String> { Set(providers.map(\.name)) }

    /// Ends the programs and the HTTP client. Call it after the last call.
    package func shutdown() async throws {
        for provider in made { await provider.shutdown() }
        for transport in transports { try await transport.shutdown() }
    }
}

/// Makes providers from their settings.
struct ProviderFactory {
    let settings: Settings
    /// Where keys, programs, proxies and certificates are looked up.
    let environment: [String: String]
    let children: ChildProcessRegister

    /// Why a provider cannot be called.
    struct Unavailable: Error {
        /// A clause that says what is missing, and where.
        var reason: String
    }

    func make(
        _ name: String, _ settings: ProviderSettings, _ transports: inout TransportSet
    ) throws(Unavailable) -> any ModelProvider {
        let key = try key(of: settings)
        switch settings.kind {
        case .openai:
            guard let baseURL = settings.baseURL else { throw Unavailable(reason: "it has no base URL") }
            return OpenAIProvider(
                name: name, baseURL: baseURL, apiKey: key,
                maxEmbedInputs: settings.embeddings.maxInputs ?? ProviderCapabilities().maxEmbedInputs,
                maxEmbedTokens: settings.embeddings.maxTokens, maxEmbedBytes: settings.embeddings.maxBytes.map { Int(clamping: $0) },
                api: settings.api ?? .automatic, transport: try transport(of: name, &transports), streams: streams(settings))
        case .anthropic:
            guard let baseURL = settings.baseURL else { throw Unavailable(reason: "it has no base URL") }
            return AnthropicProvider(
                name: name, baseURL: baseURL, apiKey: key, version: settings.apiVersion ?? "2023-06-01",
                promptCache: settings.promptCache ?? .off, transport: try transport(of: name, &transports),
                streams: streams(settings))
        case .claudeCode:
            let command = settings.command ?? "claude"
            switch ClaudeCodeProvider.locate(command, environment: environment) {
            case .failure(let missing): throw Unavailable(reason: missing.message)
            case .success(let path):
                let plan = self.settings.connection(ofProvider: name, environment: environment)
                return ClaudeCodeProvider(
                    name: name, command: path, environment: plan?.environment(from: environment) ?? environment, apiKey: key,
                    baseURL: settings.baseURL,
                    isWarm: settings.warm ?? true, register: children)
            }
        }
    }

    private func streams(_ settings: ProviderSettings) -> StreamLimits {
        let http = self.settings.http
        return StreamLimits(
            firstByte: (settings.firstByteTimeout ?? http.firstByteTimeout).milliseconds,
            idle: (settings.idleTimeout ?? http.idleTimeout).milliseconds)
    }

    private func transport(of name: String, _ transports: inout TransportSet) throws(Unavailable) -> HTTPTransport {
        guard let plan = settings.connection(ofProvider: name, environment: environment) else {
            throw Unavailable(reason: "it is not configured")
        }
        do {
            return try transports.transport(for: plan)
        } catch {
            throw Unavailable(reason: error.message)
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
