import AgentQueueModel

/// Why a configuration cannot be used: what is wrong, where, and what to do, in one sentence.
package struct SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where the problem was found: a file and line, an environment variable, or a command line option.
    package let origin: SettingsOrigin
    /// The key it is about, such as `worker.concurrency`; nil if it is not about an existing key.
    package let key: String?
    /// What is wrong, without the place and the key.
    package let message: String

    /// - Parameter message: without the place and the key, which are put in front.
    package init(origin: SettingsOrigin, key: String? = nil, message: String) {
        self.origin = origin
        self.key = key
        self.message = message
    }

    /// The path of the file as it was given, if the problem is in a file.
    package var path: String? {
        if case .file(let path, _) = origin { path } else { nil }
    }

    /// The line in that file, from 1.
    package var line: Int? {
        if case .file(_, let line) = origin { line } else { nil }
    }

    /// The message, such as `config/agent-queue.yaml:3: worker.concurrency: 0 is out of range (1 to 1024)` or `CACHE_MAX_SIZE: 'x' is not
    /// a whole number`.
    package var description: String {
        switch (origin, key) {
        case (.file, let key?), (.builtIn, let key?): "\(origin.place): \(InvalidText.printable(key, limit: 300)): \(message)"
        default: "\(origin.place): \(message)"
        }
    }
}

/// Where a value or a problem came from.
package enum SettingsOrigin: Hashable, Sendable, CustomStringConvertible {
    case builtIn
    /// A configuration file by its path as given. The line counts from 1 and is nil if the problem concerns the whole file.
    case file(path: String, line: Int?)
    case environment(name: String)
    /// A command line option, such as `--concurrency`.
    case commandLine(option: String)

    /// Such as `default`, `config/agent-queue.yaml:12`, `environment CACHE_MAX_SIZE` or `command line --concurrency`.
    package var description: String {
        switch self {
        case .builtIn: "default"
        case .environment(let name): "environment \(name)"
        case .commandLine(let option): "command line \(option)"
        case .file: place
        }
    }

    /// As the start of an error: `config/agent-queue.yaml:12`, `CACHE_MAX_SIZE`, `--concurrency`.
    var place: String {
        switch self {
        case .builtIn: "built-in defaults"
        case .environment(let name): name
        case .commandLine(let option): option
        case .file(let path, let line?): "\(InvalidText.printable(path, limit: 500)):\(line)"
        case .file(let path, nil): InvalidText.printable(path, limit: 500)
        }
    }
}
