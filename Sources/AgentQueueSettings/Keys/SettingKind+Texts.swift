import AgentQueueModel

extension SettingKind where Value == String {
    /// `provider/model`.
    static let target = Self { (raw) throws(InvalidText) in
        try TargetName(raw.text(of: "a target, provider/model")).description
    } show: {
        $0
    }

    /// A file path, which becomes absolute.
    static let path = Self { (raw) throws(InvalidText) in
        try PathText.resolve(raw.text(of: "a file path"), folder: raw.folder, home: raw.home)
    } show: {
        InvalidText.printable($0, limit: .max)
    }

    /// A program: a name to look up in PATH, or a path, which becomes absolute.
    static let program = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a program's name or path")
        return text.contains("/") || text.isEmpty ? try PathText.resolve(text, folder: raw.folder, home: raw.home) : text
    } show: {
        InvalidText.printable($0, limit: .max)
    }

    /// A day such as 2023-06-01, which names a version of Anthropic's API.
    static let date = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a date")
        let shape = text.utf8.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) ? UInt8(ascii: "0") : $0 }
        guard shape.elementsEqual("0000-00-00".utf8) else {
            throw InvalidText("\(InvalidText.quoted(text)) is not a date (such as 2023-06-01)")
        }
        return text
    } show: {
        $0
    }

    /// The name of an environment variable. A rejected value is not repeated in the message, because it may be a key put in the wrong
    /// place.
    static let environmentName = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "an environment variable's name")
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isName, let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            throw InvalidText("must be the name of an environment variable that holds the key (letters, digits and _), not a key itself")
        }
        return text
    } show: {
        $0
    }

    /// An `http` or `https` address without trailing slashes. Whatever may be a password or a key in it is masked when it is shown.
    static let baseURL = Self { (raw) throws(InvalidText) in
        var text = try raw.text(of: "a URL")
        let refused = InvalidText("is not an http or https URL (such as http://127.0.0.1:8089/v1)")
        guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) }),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw refused }
        while text.hasSuffix("/") { text.removeLast() }
        guard text.utf8.count > scheme.utf8.count, !"/?#:".contains(text[text.index(text.startIndex, offsetBy: scheme.count)]) else {
            throw refused
        }
        return text
    } show: {
        masked(url: $0)
    }

    /// An `http` or `https` address as written. Whatever may be a password or a key in it is masked when it is shown.
    static let webhookURL = Self { (raw) throws(InvalidText) in
        let text = try raw.text(of: "a URL")
        // The same rules apply, but a trailing slash matters and the query is part of the address.
        _ = try baseURL.parse(raw)
        return text
    } show: {
        masked(webhook: $0)
    }

    /// Any text of a few lines. It is shown in quotes, because blanks may matter.
    static func text(maxBytes: Int) -> Self {
        Self { (raw) throws(InvalidText) in
            let text = try raw.text(of: "a text")
            guard text.utf8.count <= maxBytes else {
                throw InvalidText("is \(text.utf8.count) bytes long (at most \(maxBytes))")
            }
            guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control || $0 == "\n" || $0 == "\t" }) else {
                throw InvalidText("holds a control character")
            }
            return text
        } show: {
            quoted($0)
        }
    }

    /// A text that says where recalled memories go.
    static let recallTemplate = Self { (raw) throws(InvalidText) in
        let text = try Self.text(maxBytes: 16 << 10).parse(raw)
        guard text.ranges(of: MemorySettings.placeOfMemories).count == 1 else {
            throw InvalidText("must hold \(MemorySettings.placeOfMemories) once, where the memories are to stand")
        }
        return text
    } show: {
        quoted($0)
    }

    /// The text in double quotes, as YAML reads it.
    private static func quoted(_ text: String) -> String {
        let inner = EscapedText.text(text) { scalar in
            switch scalar {
            case "\n": "\\n"
            case "\t": "\\t"
            case "\"": "\\\""
            case "\\": "\\\\"
            default: EscapedText.isInvisible(scalar) ? EscapedText.number(scalar) : nil
            }
        }
        return "\"\(inner)\""
    }

    /// Slack, Discord and others keep the secret in the path: only its first part is shown.
    private static func masked(webhook url: String) -> String {
        let shown = masked(url: url)
        guard let scheme = shown.firstRange(of: "://"), let slash = shown[scheme.upperBound...].firstIndex(of: "/") else { return shown }
        let path = shown[slash...].prefix { $0 != "?" }
        let parts = path.split(separator: "/")
        guard parts.count > 1 else { return shown }
        return "\(shown[..<slash])/\(parts[0])/***\(shown[path.endIndex...])"
    }

    private static func masked(url: String) -> String {
        var shown = url
        if let query = shown.firstIndex(of: "?") { shown = shown[..<query] + "?***" }
        // The authority follows the scheme's "://" and ends at the next slash; the credentials are the part before its last "@".
        guard let colon = shown.firstIndex(of: ":") else { return shown }
        let authority = shown[colon...].dropFirst(3).prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return shown }
        return shown[..<authority.startIndex] + "***" + shown[at...]
    }
}
