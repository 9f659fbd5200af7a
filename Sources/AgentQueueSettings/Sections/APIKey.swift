import AgentQueueModel

/// What looking for a provider's key came to.
package enum APIKey: Equatable, Sendable {
    /// The provider names no key: a local server, or a program that signs in by itself.
    case notNeeded
    /// The key.
    case found(Secret)
    /// There should be a key and there is none that may be used; the reason says what to do, in one clause.
    case missing(reason: String)
}

extension ProviderSettings {
    /// Looks for the key: the environment variable `api_key_env` first, then the file `api_key_file`.
    ///
    /// A key file is used only if nobody but its owner may touch it (mode 0600 or 0400); its text is the key, spaces and line ends around
    /// it ignored. A key that could not go into a header (a line break or other control character within) counts as missing.
    package func resolveAPIKey(environment: [String: String], files: FileReader = .system) -> APIKey {
        guard apiKeyEnv != nil || apiKeyFile != nil else { return .notNeeded }
        if let name = apiKeyEnv, let value = environment[name], let key = Self.trimmed(value) {
            return Self.usable(key, from: "environment variable \(name)")
        }
        guard let path = apiKeyFile else {
            return .missing(reason: "environment variable \(apiKeyEnv ?? "") is not set (put the key there)")
        }
        return keyInFile(at: path, files: files)
    }

    private func keyInFile(at path: String, files: FileReader) -> APIKey {
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

    private static func usable(_ key: String, from source: String) -> APIKey {
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

/// A key that no log, message or dump shows by accident: printing it gives `***`.
package struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Hides a key; it is not checked.
    package init(_ text: String) {
        self.text = text
    }

    /// The key itself, for the one header that carries it.
    package func reveal() -> String { text }

    /// Always `***`.
    package var description: String { "***" }
    /// Always `***`, in a debugger too.
    package var debugDescription: String { "***" }
    /// Without children, so that `dump` shows nothing of the key.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
