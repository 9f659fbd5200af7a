import AgentQueueDialects
import AgentQueueSettings
import HTTPTypes

/// Which Host and Origin a request may name. A page of another site that makes its own name resolve to this machine (DNS rebinding) names
/// a host that is not ours.
struct HostCheck: Sendable {
    private let hosts: Set<String>
    private let origins: Set<String>
    /// Whether the gateway listens on every address of the machine, so that its own name is the address a connection came in by.
    private let listensEverywhere: Bool

    init(_ settings: ServeSettings) {
        var hosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
        if let listen = settings.listen { hosts.insert(Self.withoutPort(listen.description.lowercased())) }
        if let url = settings.publicURL, let host = Self.host(ofURL: url) { hosts.insert(host) }
        hosts.formUnion(settings.hosts)
        self.hosts = hosts
        origins = Set(settings.origins)
        listensEverywhere = ["0.0.0.0", "::"].contains(settings.listen?.host ?? "")
    }

    /// - Parameters:
    ///   - host: the Host header, or the authority of HTTP/2.
    ///   - address: the address that the connection came in by.
    /// - Throws: `GatewayError` if the host is not one of the gateway's own.
    func check(host: String?, address: IPAddress?) throws(GatewayError) {
        guard let host = host?.lowercased(), !host.isEmpty else {
            throw GatewayError(.forbidden, "The request names no host: send a Host header.")
        }
        let name = Self.withoutPort(host)
        if hosts.contains(host) || hosts.contains(name) { return }
        if listensEverywhere, let address, IPAddress(Self.withoutBrackets(name)) == address { return }
        throw GatewayError(
            .forbidden,
            "The gateway does not answer for this Host: use the address that it listens on, or have the name added to serve.hosts.")
    }

    /// Whether a page of this origin may call, and read the answer. An origin that is the request's own host needs no permission.
    /// - Throws: `GatewayError` if it may not.
    func check(origin: String, host: String?) throws(GatewayError) -> Bool {
        let origin = origin.lowercased()
        if origins.contains(origin) { return true }
        if let host = host?.lowercased(), origin == "http://\(host)" || origin == "https://\(host)" { return false }
        throw GatewayError(.forbidden, "Pages of this Origin may not call the gateway: have it added to serve.origins.")
    }

    /// The host alone; what follows it and is no port stays, and so makes it another host.
    private static func withoutPort(_ host: String) -> String {
        let end = host.hasPrefix("[") ? host.firstIndex(of: "]").map { host.index(after: $0) } : host.firstIndex(of: ":")
        guard let end, end < host.endIndex, host[end] == ":", host[end...].dropFirst().allSatisfy({ ("0"..."9").contains($0) }) else {
            return host
        }
        return String(host[..<end])
    }

    private static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    private static func host(ofURL url: String) -> String? {
        url.firstRange(of: "://").map { url[$0.upperBound...].prefix { $0 != "/" }.lowercased() }
    }
}
