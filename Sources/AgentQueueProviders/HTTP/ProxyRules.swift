import AgentQueueModel
import Foundation

/// Which proxy leads to which server.
package struct ProxyRules: Sendable, Hashable {
    /// A proxy, and what named it.
    package struct Choice: Sendable, Hashable {
        package var address: ProxyAddress
        /// The environment variable or the key of the configuration.
        package var source: String
    }

    private enum Entry: Sendable, Hashable {
        case proxy(Choice)
        /// What is set is not the address of a proxy. No server may be called past it.
        case invalid(String)
    }

    private var http: Entry?
    private var https: Entry?
    private var exceptions: [ProxyException] = []
    /// Whether servers on this machine are called directly.
    private var sparesLoopback = true

    /// No proxy for any server.
    package static let direct = ProxyRules()

    private init() {}

    /// The rules of the environment: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, or else their names in capitals. The name in
    /// small letters wins. `HTTP_PROXY` is ignored where `REQUEST_METHOD` is set, because there it may be a header of a web request (CGI).
    package init(environment: [String: String]) {
        func entry(_ names: String...) -> Entry? {
            for name in names {
                guard let text = environment[name], !text.isEmpty, name != "HTTP_PROXY" || environment["REQUEST_METHOD"] == nil else {
                    continue
                }
                do {
                    return .proxy(Choice(address: try ProxyAddress(text), source: name))
                } catch {
                    return .invalid("\(name) \(error.message)")
                }
            }
            return nil
        }
        http = entry("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
        https = entry("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        exceptions = Self.exceptions(of: environment)
    }

    /// A proxy that the configuration names.
    /// - Parameters:
    ///   - source: its key.
    ///   - environment: nil if the proxy is for every server; else those of `no_proxy` and those on this machine are called directly.
    package init(_ address: ProxyAddress, source: String, sparing environment: [String: String]?) {
        http = .proxy(Choice(address: address, source: source))
        https = http
        exceptions = environment.map(Self.exceptions) ?? []
        sparesLoopback = environment != nil
    }

    /// The proxy for a URL; nil if its server is called directly.
    /// - Throws: `InvalidText` if what is set as its proxy is not the address of one.
    package func proxy(for url: String) throws(InvalidText) -> Choice? {
        guard http != nil || https != nil, let server = ServerAddress(url) else { return nil }
        if sparesLoopback, server.isLoopback { return nil }
        if exceptions.contains(where: { $0.covers(server) }) { return nil }
        switch server.isSecure ? https : http {
        case .proxy(let choice): return choice
        case .invalid(let reason): throw InvalidText(reason)
        case nil: return nil
        }
    }

    /// Whether a URL's server is this machine.
    package static func isLoopback(_ url: String) -> Bool { ServerAddress(url)?.isLoopback ?? false }

    private static func exceptions(of environment: [String: String]) -> [ProxyException] {
        let text = [environment["no_proxy"], environment["NO_PROXY"]].compactMap(\.self).first { !$0.isEmpty } ?? ""
        return text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).compactMap(ProxyException.init)
    }
}

/// The server of a URL.
struct ServerAddress: Sendable, Hashable {
    let isSecure: Bool
    /// In small letters, without brackets and without a dot at the end.
    let host: String
    let port: Int
    /// The bytes of an IP address, 4 or 16; nil for a name.
    let ip: [UInt8]?

    /// Nil for what is not an `http` or `https` URL.
    init?(_ url: String) {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        var authority = url[mark.upperBound...].prefix { !"/?#".contains($0) }
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        guard let (host, port) = ProxyAddress.hostAndPort(authority) else { return nil }
        isSecure = scheme == "https"
        self.host = ProxyException.normalised(host)
        self.port = port ?? (isSecure ? 443 : 80)
        ip = IPAddress.bytes(self.host)
    }

    /// Whether it is this machine.
    var isLoopback: Bool {
        guard let ip else { return host == "localhost" || host.hasSuffix(".localhost") }
        if ip.count == 4 { return ip[0] == 127 || ip == [0, 0, 0, 0] }
        return ip.dropLast().allSatisfy { $0 == 0 } && ip[15] <= 1
    }
}

/// A part of `NO_PROXY`: servers that are called directly.
struct ProxyException: Sendable, Hashable {
    private enum Servers: Sendable, Hashable {
        case all
        /// A domain and what is below it.
        case domain(String)
        case addresses([UInt8], bits: Int)
    }

    private let servers: Servers
    /// Nil for any.
    private let port: Int?

    /// Reads `*`, `host`, `.suffix`, `*.suffix`, an IP address with or without brackets, or a range such as `10.0.0.0/8`; all but the
    /// range with or without `:port`. Nil for what is none of these.
    init?(_ text: Substring) {
        if let slash = text.firstIndex(of: "/") {
            let bare = text[..<slash].filter { $0 != "[" && $0 != "]" }
            guard let bytes = IPAddress.bytes(bare), let bits = Int(text[text.index(after: slash)...]), (0...bytes.count * 8).contains(bits)
            else { return nil }
            servers = .addresses(bytes, bits: bits)
            port = nil
            return
        }
        guard let (host, port) = ProxyAddress.hostAndPort(text) else { return nil }
        self.port = port
        if host == "*" {
            servers = .all
        } else if let bytes = IPAddress.bytes(host) {
            servers = .addresses(bytes, bits: bytes.count * 8)
        } else {
            let domain = Self.normalised(host.hasPrefix("*.") ? String(host.dropFirst(2)) : String(host.drop { $0 == "." }))
            guard !domain.isEmpty else { return nil }
            servers = .domain(domain)
        }
    }

    func covers(_ server: ServerAddress) -> Bool {
        if let port, port != server.port { return false }
        switch servers {
        case .all: return true
        case .domain(let domain): return server.host == domain || server.host.hasSuffix(".\(domain)")
        case .addresses(let bytes, let bits):
            guard let ip = server.ip, ip.count == bytes.count else { return false }
            return (0..<bits).allSatisfy { (ip[$0 / 8] ^ bytes[$0 / 8]) & (0x80 >> UInt8($0 % 8)) == 0 }
        }
    }

    /// In small letters, without the dot that may end a name.
    static func normalised(_ host: String) -> String {
        let host = host.lowercased()
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }
}

/// IP addresses as bytes.
enum IPAddress {
    /// The 4 or 16 bytes of an address; nil for any other text. An IPv4 address written as IPv6 counts as what it is.
    static func bytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var sixteen = in6_addr()
        guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: sixteen) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }
}
