import JobModel
import ModelCalls
import ModelProviders
import Settings

/// The providers that a configuration makes possible, over one HTTP client.
public struct ProviderSet: Sendable {
    /// Those that can be called.
    public let providers: [any ModelProvider]
    /// Those that cannot, by name, with the reason: a missing key, say. Their lanes wait.
    public let unavailable: [String: String]
    private let transport: HTTPTransport

    /// Makes what can be made; calls nothing.
    public init(_ settings: Settings, environment: [String: String]) {
        let http = settings.http
        transport = HTTPTransport(
            HTTPTransport.Configuration(
                poolSize: http.connectionPoolSize, connectTimeout: http.connectTimeout.milliseconds, maxRetries: http.maxRetries))
        var providers: [any ModelProvider] = []
        var unavailable: [String: String] = [:]
        for (name, provider) in settings.providers {
            switch Self.make(name, provider, environment: environment, transport: transport) {
            case .success(let made): providers.append(made)
            case .failure(let reason): unavailable[name] = reason.message
            }
        }
        self.providers = providers
        self.unavailable = unavailable
    }

    private struct Unavailable: Error {
        var message: String
    }

    private static func make(
        _ name: String, _ settings: ProviderSettings, environment: [String: String], transport: HTTPTransport
    ) -> Result<any ModelProvider, Unavailable> {
        guard settings.kind == .openai, let baseURL = settings.baseURL else {
            return .failure(Unavailable(message: "kind \(settings.kind.rawValue) comes with a later version"))
        }
        let key: String?
        switch settings.resolveAPIKey(environment: environment) {
        case .notNeeded: key = nil
        case .found(let secret): key = secret.reveal()
        case .missing(let reason): return .failure(Unavailable(message: reason))
        }
        return .success(
            OpenAIProvider(
                name: name, baseURL: baseURL, apiKey: key,
                maxEmbedInputs: settings.embeddings.maxInputs ?? ProviderCapabilities().maxEmbedInputs, transport: transport))
    }

    /// Ends the HTTP client, after the last call.
    public func shutdown() async throws { try await transport.shutdown() }
}
