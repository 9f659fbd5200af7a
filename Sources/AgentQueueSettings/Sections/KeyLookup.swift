import AgentQueueModel

/// The result of looking for a provider's key.
package enum KeyLookup: Equatable, Sendable {
    /// The provider names no key: it is a local server, or a program that signs in by itself.
    case notNeeded
    case found(Secret)
    /// A key is expected, but there is none that may be used. The reason says what to do, in one clause.
    case missing(reason: String)
}

extension ProviderSettings {
    /// Looks for the key in the environment variable `api_key_env` first, then in the file `api_key_file`.
    ///
    /// A key file is used only if nobody but its owner has access to it (mode 0600 or 0400). Its text is the key, without spaces and line
    /// ends around it. A key that cannot be sent in a header (because it contains a line break or another control character) counts as
    /// missing.
    package func resolveAPIKey(environment: [String: String], files: FileReader = .system) -> KeyLookup {
        guard apiKeyEnv != nil || apiKeyFile != nil else { return .notNeeded }
        if let name = apiKeyEnv, let value = environment[name], let key = Self.trimmed(value) {
            return Self.usable(key, from: "environment variable \(name)")
        }
        guard let path = apiKeyFile else {
            return .missing(reason: "environment variable \(apiKeyEnv ?? "") is not set (put the key there)")
        }
        return keyInFile(at: path, files: files)
    }

    private func keyInFile(at path: String, files: FileReader) -> KeyLookup {
        let name = "key file \(InvalidText.printable(path, limit: 500))"
        do {
            guard let contents = try files.read(path) else { return .missing(reason: "\(name) does not exist") }
            guard contents.permissions & 0o077 == 0 else {
                let mode = String(contents.permissions & 0o777, radix: 8)
                return .missing(reason: "\(name) may be read or written by others (mode 0\(mode)): run chmod 600 on it")
            }
            guard let key = Self.trimmed(contents.text) else { return .missing(reason: "\(name) is empty") }
            return Self.usable(key, from: name)
        } catch {
            return .missing(reason: "\(name) \(error.message)")
        }
    }

    private static func usable(_ key: String, from source: String) -> KeyLookup {
        guard key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return .missing(reason: "\(source) holds something that is not a key (a space, line break or foreign character within)")
        }
        return .found(Secret(key))
    }

    private static func trimmed(_ text: String) -> String? {
        var view = Substring(text)
        while view.first?.isWhitespace == true { view.removeFirst() }
        while view.last?.isWhitespace == true { view.removeLast() }
        return view.isEmpty ? nil : String(view)
    }
}

/// A key that no log, message or dump can show by accident: it prints as `***`.
package struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Wraps a key without checking it.
    package init(_ text: String) {
        self.text = text
    }

    /// The key itself, for the one header that carries it.
    package func reveal() -> String { text }

    /// Always `***`.
    package var description: String { "***" }
    /// Always `***`, in a debugger too.
    package var debugDescription: String { "***" }
    /// Has no children, so that `dump` shows nothing of the key.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
