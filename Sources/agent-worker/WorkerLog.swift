import Logging

/// swift-log's events, through ``LogOutput``.
struct WorkerLog: LogHandler {
    let output: LogOutput
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    init(label: String, output: LogOutput) { self.output = output }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        output.event(event.level, "\(event.message)", metadata.merging(event.metadata ?? [:]) { $1 })
    }
}
