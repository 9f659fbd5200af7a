import AgentQueueModel
import Glibc

/// An address to listen on: `127.0.0.1:8484`, `[::1]:8484`, `localhost:8484`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IP address without brackets, or a host's name.
    package let host: String
    /// 0 takes a free port.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package static let standard = ListenAddress(host: "127.0.0.1", port: 8484)

    /// - Throws: If it is not a host and a port.
    package init(_ text: String) throws(InvalidText) {
        let refused = InvalidText("\(InvalidText.quoted(text)) is not an address to listen on (such as 127.0.0.1:8484 or [::1]:8484)")
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { throw refused }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), IPAddress(host) != nil else { throw refused }
        } else {
            guard HostText.isName(host) else { throw refused }
        }
        self.init(host: host, port: Int(port))
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        if host.lowercased() == "localhost" { return true }
        guard let address = IPAddress(host) else { return false }
        return address.isLoopback
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// An IP address, of version 4 or 6. A version 4 address written as one of version 6 (`::ffff:10.0.0.1`) is the former.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes.
    package let bytes: [UInt8]

    /// Nil if the text is not an address.
    package init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let all = withUnsafeBytes(of: &six) { Array($0) }
            bytes = all.starts(with: Self.mapped) ? Array(all[12...]) : all
        } else {
            return nil
        }
    }

    private static let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
    }
}

/// One IP address, or all that begin with the same bits: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let address: IPAddress
    private let bits: Int
    /// The range as written.
    package let description: String

    /// - Throws: If it is not an address, with or without a number of bits.
    package init(_ text: String) throws(InvalidText) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = parts.first.flatMap({ IPAddress(String($0)) }) else { throw Self.refusal(text) }
        let most = address.bytes.count * 8
        guard let bits = parts.count == 2 ? Int(parts[1]) : most, (0...most).contains(bits) else { throw Self.refusal(text) }
        self.address = address
        self.bits = bits
        description = text
    }

    private static func refusal(_ text: String) -> InvalidText {
        InvalidText("\(InvalidText.quoted(text)) is not an IP address or a range of them (such as 10.0.0.7 or 10.0.0.0/8)")
    }

    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let (whole, rest) = (bits / 8, bits % 8)
        guard address.bytes.prefix(whole) == other.bytes.prefix(whole) else { return false }
        return rest == 0 || (address.bytes[whole] ^ other.bytes[whole]) >> (8 - rest) == 0
    }
}

/// Names of hosts in the configuration.
enum HostText {
    /// Letters, digits, dots, hyphens and underscores, as in a name or a version 4 address.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 253
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// A name or address, in brackets if it has colons, with or without a port.
    static func isHost(_ text: String) -> Bool {
        if isName(text) { return true }
        if text.hasPrefix("["), text.hasSuffix("]") { return text.contains(":") && IPAddress(String(text.dropFirst().dropLast())) != nil }
        // Only whether it can be read matters here, not the reason.
        return (try? ListenAddress(text)) != nil
    }
}

extension SettingKind where Value == ListenAddress? {
    /// An address, or `none`.
    static let listenAddress = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "an address to listen on, or none")
        return text == "none" ? nil : try ListenAddress(text)
    } show: {
        $0?.description ?? "none"
    }
}

extension SettingKind where Value == AddressRange {
    static let addressRange = Self { (raw) throws(InvalidText) in
        try AddressRange(raw.text(of: "an IP address or a range of them"))
    } show: {
        $0.description
    }
}

extension SettingKind where Value == String {
    /// A host's name or address, with or without a port.
    static let host = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a host")
        guard HostText.isHost(text) else {
            throw InvalidText("\(InvalidText.quoted(text)) is not a host (such as queue.example or queue.example:8443)")
        }
        return text.lowercased()
    } show: {
        $0
    }

    /// The origin of web pages: a scheme and a host.
    static let webOrigin = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "an origin").lowercased()
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix), HostText.isHost(String(text.dropFirst(scheme.count)))
        else {
            throw InvalidText("\(InvalidText.quoted(text)) is not an origin (such as https://app.example)")
        }
        return text
    } show: {
        $0
    }

    /// An address for clients: a scheme, a host and perhaps a path.
    static let publicURL = Self { (raw) throws(InvalidText) in
        let text = try SettingKind<String>.baseURL.parse(raw)
        let rest = text.drop { $0 != ":" }.dropFirst(3)
        guard HostText.isHost(String(rest.prefix { $0 != "/" })), !text.contains("?"), !text.contains("#") else {
            throw InvalidText("is not an address for clients (such as https://queue.example/ai)")
        }
        return text
    } show: {
        $0
    }
}
