import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser
import Foundation
import Logging
import Synchronization

/// Writes events to standard error as text or JSON, with a status line below them on a terminal.
final class LogOutput: Sendable {
    /// Whether a person reads along: then there is a status line, and jobs that complete are not logged.
    let isTerminal: Bool
    private let format: LogFormat
    private let live = Mutex("")

    init(_ format: LogFormat) {
        self.format = format
        isTerminal = isatty(STDERR_FILENO) == 1 || SupervisedChild.isShown
    }

    /// Writes an event.
    func event(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) {
        switch format {
        case .text: write(LogLine.text(Self.now, level, message, metadata))
        case .json: write(LogLine.json(Self.now, level, message, metadata))
        }
    }

    /// Logs the end of an attempt. On a terminal, only failures: the rest is in the status line.
    func job(_ event: JobEvent) {
        guard !isTerminal || event.failure != nil || format == .json else { return }
        switch format {
        case .text: write(DisplayText.line(Self.text(event)))
        case .json: write(JSONText.text(Self.json(event)))
        }
    }

    /// An attempt that failed is a warning; a job that failed for good is an error.
    private static func level(_ event: JobEvent) -> Logger.Level {
        guard let failure = event.failure, failure != .shutdown, failure != .cancelled else { return .info }
        return event.state == .discarded ? .error : .warning
    }

    private static func text(_ event: JobEvent) -> String {
        let state = event.state?.rawValue ?? "lost to another worker"
        var line = "\(TimeText.format(now)) \(level(event)) job \(event.job) \(state) \(event.target) attempt=\(event.attempt)"
        if let answeredBy = event.answeredBy { line += " by=\(answeredBy.rawValue)" }
        if event.latency > 0 { line += " latency=\(event.latency)ms" }
        if event.usage != Usage() { line += " tokens=\(event.usage.inputTokens)+\(event.usage.outputTokens)" }
        if event.cost ?? 1 > 0 { line += " cost=\(Figures.money(event.cost))" }
        if let failure = event.failure { line += " \(failure.rawValue): \(event.message ?? "")" }
        return line
    }

    private static func json(_ event: JobEvent) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("time", .string(TimeText.format(now))), .init("level", .string(level(event).rawValue)),
            .init("message", .string("job \(event.job) \(event.state?.rawValue ?? "lost to another worker")")),
            .init("job", .integer(event.job)),
            .init("state", event.state.map { .string($0.rawValue) } ?? .null), .init("model", .string(event.target.description)),
            .init("attempt", .integer(Int64(event.attempt))), .init("latency_ms", .integer(event.latency)),
            .init("input_tokens", .integer(Int64(event.usage.inputTokens))),
            .init("output_tokens", .integer(Int64(event.usage.outputTokens))),
            .init("cost_usd", Money.json(event.cost)),
        ]
        if let answeredBy = event.answeredBy { members.append(.init("answered_by", .string(answeredBy.rawValue))) }
        if let failure = event.failure {
            members.append(.init("class", .string(failure.rawValue)))
            members.append(.init("error", .string(event.message ?? "")))
        }
        return .object(members)
    }

    /// Replaces the status line, cut to the width of the terminal.
    func show(_ line: String) {
        var size = winsize()
        let isSized = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1
        let line = isSized && line.count >= size.ws_col ? "\(line.prefix(Int(size.ws_col) - 2))…" : line
        live.withLock { current in
            guard line != current else { return }
            current = line
            put("\r\u{1B}[2K\(line)")
        }
    }

    /// Leaves the status line on the screen.
    func endLine() {
        live.withLock { current in
            if !current.isEmpty { put("\n") }
            current = ""
        }
    }

    /// Writes a line of a worker process, as it is.
    func pass(_ line: String) { write(line) }

    /// What a line for the supervisor begins with, which no log line does.
    static let controlMark = "\u{1}"

    /// Reports to the supervisor.
    func control(_ value: JSONValue) { live.withLock { _ in put("\(Self.controlMark)\(JSONText.text(value))\n") } }

    /// - Parameter line: Escaped, because text from users and servers must not control a terminal.
    private func write(_ line: String) {
        live.withLock { current in
            put(current.isEmpty ? "\(line)\n" : "\r\u{1B}[2K\(line)\n\(current)")
        }
    }

    private func put(_ text: String) {
        // Failing to log must not stop the work.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    private static var now: Int64 { WallClock.milliseconds() }
}

/// Sends swift-log events to ``LogOutput``.
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

/// The format of log events.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    /// One JSON object per line.
    case json
}

/// The minimum level of log events.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
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
