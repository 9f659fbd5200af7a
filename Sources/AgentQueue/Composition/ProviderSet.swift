import JobModel
import ModelCalls
import ModelProviders
import Settings

/// The providers that a configuration makes possible, over one HTTP client.
public struct ProviderSet: Sendable {
    /// Those that can be called.
    public let providers: [any ModelProvider]
    /// Those that cannot, by name, with the reason: a missing key or program, say. Their lanes wait, or their fallbacks serve.
    public let unavailable: [String: String]
    /// The processes that they run.
    public let children: ChildProcessRegister
    private let transport: HTTPTransport

    /// Makes what can be made; calls nothing.
    public init(_ settings: Settings, environment: [String: String]) {
        let http = settings.http
        let workshop = ProviderWorkshop(
            transport: HTTPTransport(
                HTTPTransport.Configuration(
                    poolSize: http.connectionPoolSize, connectTimeout: http.connectTimeout.milliseconds, maxRetries: http.maxRetries)),
            environment: environment, children: ChildProcessRegister())
        var providers: [any ModelProvider] = []
        var unavailable: [String: String] = [:]
        for (name, provider) in settings.providers {
            do {
                providers.append(try workshop.make(name, provider))
            } catch {
                unavailable[name] = error.reason
            }
        }
        self.providers = providers
        self.unavailable = unavailable
        children = workshop.children
        transport = workshop.transport
    }

    /// The names of those that can be called.
    public var names: Set<String> { Set(providers.map(\.name)) }

    /// Ends the programs and the HTTP client, after the last call.
    public func shutdown() async throws {
        for provider in providers { await provider.shutdown() }
        try await transport.shutdown()
    }
}
