import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings

/// How servers are reached: by which proxies, with which certificates.
package struct ConnectionPlan: Sendable, Hashable {
    let proxies: ProxyRules
    /// Files of certificates and keys; none where nothing is encrypted.
    package let tls: TLSFiles
    /// The address that is called.
    private let url: String

    fileprivate init(_ proxies: ProxyRules, _ tls: TLSFiles, for url: String) {
        self.proxies = proxies
        self.tls = url.lowercased().hasPrefix("http://") ? TLSFiles(environment: [:]) : tls
        self.url = url
    }

    /// The proxy that is used; nil if the server is called directly.
    /// - Throws: `InvalidText` if the environment names a proxy that cannot be used.
    package func proxy() throws(InvalidText) -> ProxyRules.Choice? { try proxies.proxy(for: url) }

    /// The environment of a program that is to reach the server in this way.
    func environment(from environment: [String: String]) -> [String: String] {
        var environment = environment
        let names = ["http_proxy", "https_proxy", "all_proxy"].flatMap { [$0, $0.uppercased()] }
        // A proxy that cannot be used is left for the program to complain about.
        let choice = (try? proxies.proxy(for: url)) ?? nil
        if proxies == .direct {
            for name in names { environment[name] = nil }
        } else if let choice, !names.contains(choice.source) {
            for name in names { environment[name] = choice.address.url }
            environment["no_proxy"] = nil
            environment["NO_PROXY"] = nil
        } else if ProxyRules.isLoopback(url), names.contains(where: { environment[$0] != nil }) {
            let spared = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
            for name in ["no_proxy", "NO_PROXY"] { environment[name] = (spared.isEmpty ? "" : "\(spared),") + "localhost,127.0.0.1,::1" }
        }
        // The names that Claude Code and Node.js know.
        if let file = tls.caFile { environment["NODE_EXTRA_CA_CERTS"] = file.path }
        if let file = tls.clientCertificate {
            environment["CLAUDE_CODE_CLIENT_CERT"] = file.path
            environment["CLAUDE_CODE_CLIENT_KEY"] = (tls.clientKey ?? file).path
        }
        return environment
    }
}

extension Settings {
    /// How a provider is reached; nil for one that is not configured.
    /// - Parameter environment: where proxies and certificates are looked up that the configuration does not name.
    package func connection(ofProvider name: String, environment: [String: String]) -> ConnectionPlan? {
        guard let provider = providers[name] else { return nil }
        return plan(
            provider.connection, at: "providers.\(name)", environment,
            for: provider.baseURL ?? environment["ANTHROPIC_BASE_URL"] ?? "https://api.anthropic.com")
    }

    /// How a webhook is reached.
    package func connection(ofWebhook url: String, environment: [String: String]) -> ConnectionPlan {
        plan(.init(), at: "http", environment, for: url)
    }

    /// - Parameters:
    ///   - own: what is set for this server alone, at `key`. The rest is that of `http`.
    private func plan(_ own: ConnectionSettings, at key: String, _ environment: [String: String], for url: String) -> ConnectionPlan {
        func source(_ isOwn: Bool, _ part: String) -> String { "\(isOwn ? key : "http").\(part)" }
        let all = own.inheriting(http.connection)
        var tls = TLSFiles(environment: environment)
        tls.caFile = all.caFile.map { .init($0, source: source(own.caFile != nil, "ca_file")) }
        let hasOwnCertificate = own.clientCertificate != nil
        tls.clientCertificate = all.clientCertificate.map { .init($0, source: source(hasOwnCertificate, "client_certificate")) }
        tls.clientKey = all.clientKey.map { .init($0, source: source(hasOwnCertificate, "client_key")) }
        return ConnectionPlan(Self.proxies(own.proxy, at: key, else: http.connection.proxy, environment), tls, for: url)
    }

    /// A provider's own proxy is for all its calls; that of `http` spares what the environment and the machine itself except.
    private static func proxies(
        _ own: ProxyChoice?, at key: String, else general: ProxyChoice?, _ environment: [String: String]
    ) -> ProxyRules {
        switch (own, general) {
        case (.direct?, _), (nil, .direct?): .direct
        case (.proxy(let address)?, _): ProxyRules(address, source: "\(key).proxy", sparing: nil)
        case (nil, .proxy(let address)?): ProxyRules(address, source: "http.proxy", sparing: environment)
        case (nil, nil): ProxyRules(environment: environment)
        }
    }
}

/// Transports, one for each way to reach servers.
struct TransportSet {
    private let configuration: HTTPTransport.Configuration
    /// Those that were made.
    private(set) var transports: [HTTPTransport] = []
    private var places: [Way: Int] = [:]

    private struct Way: Hashable {
        var proxies: ProxyRules
        var tls: TLSFiles
    }

    /// - Parameter configuration: their limits.
    init(_ configuration: HTTPTransport.Configuration) {
        self.configuration = configuration
    }

    /// The transport for a plan.
    /// - Throws: `InvalidText` for a proxy, or a file of certificates, that cannot be used.
    mutating func transport(for plan: ConnectionPlan) throws(InvalidText) -> HTTPTransport {
        _ = try plan.proxy()
        let way = Way(proxies: plan.proxies, tls: plan.tls)
        if let place = places[way] { return transports[place] }
        var configuration = configuration
        configuration.proxies = plan.proxies
        configuration.tls = try TLSIdentity(plan.tls)
        let transport = HTTPTransport(configuration)
        places[way] = transports.count
        transports.append(transport)
        return transport
    }
}
