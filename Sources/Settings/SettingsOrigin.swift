/// Where a value, or a fault, came from.
public enum SettingsOrigin: Hashable, Sendable, CustomStringConvertible {
    /// Built in.
    case builtIn
    /// A configuration file, as it was named; the line starts at 1 and is nil where the fault is the whole file's.
    case file(path: String, line: Int?)
    /// An environment variable.
    case environment(name: String)
    /// A command line option, such as `--concurrency`.
    case commandLine(option: String)

    /// `default`, `config/agent-queue.yaml:12`, `environment CACHE_MAX_SIZE`, `command line --concurrency`.
    public var description: String {
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
