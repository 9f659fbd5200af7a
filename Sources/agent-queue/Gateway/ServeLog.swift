import AgentQueueReports
import Logging

/// Writes a service's log to standard error.
struct ServeLog: LogHandler {
    let format: ServeLogFormat
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    init(_ format: ServeLogFormat) { self.format = format }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        let line =
            switch format {
            case .text: LogLine.text(Now.milliseconds, event.level, "\(event.message)", fields)
            case .json: LogLine.json(Now.milliseconds, event.level, "\(event.message)", fields)
            }
        Diagnostics.write("\(line)\n")
    }
}

/// The format of log events.
enum ServeLogFormat: String, CaseIterable {
    case text
    /// One JSON object per line.
    case json
}

/// The least urgent events that are logged.
enum ServeLogLevel: String, CaseIterable {
    case debug, info, warning, error

    var level: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
