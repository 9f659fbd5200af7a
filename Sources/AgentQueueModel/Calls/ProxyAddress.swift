/// The address of a proxy: how to speak to it, where it is, and how to sign in.
package struct ProxyAddress: Sendable, Hashable {
    /// How it is spoken to.
    package enum Kind: String, Sendable {
        /// `CONNECT` for https, the whole address in the request line for http.
        case http
        /// SOCKS 5 without a password. The proxy looks up names.
        case socks5
    }

    package let kind: Kind
    /// A name or an IP address, the latter without brackets.
    package let host: String
    package let port: Int
    /// Nil if it asks for none.
    package let user: String?
    /// Empty for none.
    package let password: String

    /// Reads `[http://][user:password@]host[:port]` or `socks5://host[:port]`; user and password may be percent-encoded.
    /// - Throws: `InvalidText`, which never repeats the text: it may hold a password.
    package init(_ text: String) throws(InvalidText) {
        let invalid = InvalidText("is not the address of a proxy (such as http://proxy.example:3128 or socks5://127.0.0.1:1080)")
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw invalid }
        let mark = text.firstRange(of: "://")
        let scheme = mark.map { text[..<$0.lowerBound].lowercased() } ?? "http"
        switch scheme {
        case "http": kind = .http
        case "socks5", "socks5h", "socks": kind = .socks5
        case "https":
            throw InvalidText("names an https:// proxy, which cannot be used: write http:// (a call to an https address stays encrypted)")
        default: throw invalid
        }
        var authority = text[(mark?.upperBound ?? text.startIndex)...].prefix { !"/?#".contains($0) }
        if let at = authority.lastIndex(of: "@") {
            let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            authority = authority[authority.index(after: at)...]
            guard let user = Self.decoded(credentials[0]), let password = Self.decoded(credentials.dropFirst().first ?? "") else {
                throw InvalidText("has a user or password with a % that begins no code: write % as %25")
            }
            guard kind == .http else { throw InvalidText("has a user and a password, which can only be sent to an http:// proxy") }
            self.user = user
            self.password = password
        } else {
            user = nil
            password = ""
        }
        guard let (host, port) = Self.hostAndPort(authority), !host.isEmpty else { throw invalid }
        self.host = host.lowercased()
        self.port = port ?? (kind == .http ? 80 : 1_080)
    }

    /// Such as `http://proxy.example:3128`, without user and password.
    package var shown: String { "\(kind.rawValue)://\(authority)" }

    /// `host:port`, with brackets around an IPv6 address.
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The whole address, for the environment of a child process.
    package var url: String {
        guard let user else { return shown }
        let credentials = Self.encoded(user) + (password.isEmpty ? "" : ":\(Self.encoded(password))")
        return "\(kind.rawValue)://\(credentials)@\(authority)"
    }

    /// Splits `host[:port]`, where an IPv6 address may have brackets; nil if the port is none.
    package static func hostAndPort(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if authority.count(where: { $0 == ":" }) == 1, let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard let port, !port.isEmpty else { return (String(host), nil) }
        guard let number = Int(port), (1...65_535).contains(number) else { return nil }
        return (String(host), number)
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-._~".unicodeScalars.contains(scalar) {
                encoded.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}

/// What a configuration says of a proxy.
package enum ProxyChoice: Sendable, Hashable {
    /// None, whatever the environment says.
    case direct
    case proxy(ProxyAddress)
}
