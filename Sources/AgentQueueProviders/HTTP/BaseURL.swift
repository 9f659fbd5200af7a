import AgentQueueModel

/// The parts of a server's address: what to call, and what may be shown.
struct BaseURL: Sendable, Equatable {
    /// The address in a normalised spelling without anything secret: scheme and host in lower case, no default port, no user and password,
    /// no query, no slash at the end.
    let shown: String
    /// `user:password`, if the address has them.
    let credentials: String?
    /// `?…` as it was, or nothing.
    let query: String

    /// Reads an address. What is not one is kept as it is, and cannot be reached.
    init(_ text: String) {
        let beforeFragment = text.prefix { $0 != "#" }
        let address = beforeFragment.prefix { $0 != "?" }
        query = String(beforeFragment[address.endIndex...])
        guard let mark = address.firstRange(of: "://") else {
            shown = Self.withoutSlashes(address)
            credentials = nil
            return
        }
        let scheme = address[..<mark.lowerBound].lowercased()
        let rest = address[mark.upperBound...]
        var authority = rest.prefix { $0 != "/" }
        let path = rest[authority.endIndex...]
        if let at = authority.lastIndex(of: "@") {
            credentials = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        } else {
            credentials = nil
        }
        var host = authority.lowercased()
        for (name, port) in [("http", ":80"), ("https", ":443")] where scheme == name && host.hasSuffix(port) {
            host.removeLast(port.count)
        }
        shown = Self.withoutSlashes("\(scheme)://\(host)\(path)")
    }

    /// The address of an endpoint.
    /// - Parameters:
    ///   - path: from the base, such as `/models`.
    ///   - query: members of the query besides its own, such as `limit=20`.
    func endpoint(_ path: String, query: String = "") -> String {
        if query.isEmpty { return shown + path + self.query }
        return shown + path + (self.query.isEmpty ? "?\(query)" : "\(self.query)&\(query)")
    }

    private static func withoutSlashes(_ text: some StringProtocol) -> String {
        var text = text[...]
        while text.last == "/" { text.removeLast() }
        return String(text)
    }
}

/// Who answers, as part of the cache key: the same text in every process of a configuration, for the job and for the provider that answers
/// it.
package enum ProviderIdentity {
    /// A provider's kind and address in a normalised spelling, without password and query.
    /// - Parameter baseURL: nil if the kind says it all.
    package static func of(kind: String, baseURL: String?) -> String {
        baseURL.map { "\(kind) \(BaseURL($0).shown)" } ?? kind
    }
}
