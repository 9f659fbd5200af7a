/// A configuration that cannot be used: what is wrong, where, and what to do, in one sentence.
public struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where it was found: a file and line, an environment variable, or a command line option.
    public let origin: SettingsOrigin
    /// The key it is about, such as `worker.concurrency`; nil if it is about none that exists.
    public let key: String?
    /// What is wrong, without place and key.
    public let message: String

    /// Makes an error; `message` names neither place nor key, which are put in front.
    public init(origin: SettingsOrigin, key: String? = nil, message: String) {
        self.origin = origin
        self.key = key
        self.message = message
    }

    /// The file, as it was named, if it was found in one.
    public var path: String? {
        if case .file(let path, _) = origin { path } else { nil }
    }

    /// The line in that file, from 1.
    public var line: Int? {
        if case .file(_, let line) = origin { line } else { nil }
    }

    /// `config/agent-queue.yaml:3: worker.concurrency: 0 is out of range (1 to 1024)`, `CACHE_MAX_SIZE: 'x' is not a whole number`.
    public var description: String {
        switch (origin, key) {
        case (.file, let key?), (.builtIn, let key?): "\(origin.place): \(InvalidText.printable(key, limit: 300)): \(message)"
        default: "\(origin.place): \(message)"
        }
    }
}
