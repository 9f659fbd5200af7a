import AgentQueueModel
import Logging

/// One event of a log, as text or JSON on one line, without control characters.
package enum LogLine {
    /// - Parameter time: Wall clock, in milliseconds.
    package static func text(_ time: Int64, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
        let rest = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return DisplayText.line("\(TimeText.format(time)) \(level) \(message)\(rest)")
    }

    /// - Parameter time: Wall clock, in milliseconds.
    package static func json(_ time: Int64, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
        let members: [JSONValue.Member] = [
            .init("time", .string(TimeText.format(time))), .init("level", .string(level.rawValue)), .init("message", .string(message)),
        ]
        return JSONText.text(.object(members + metadata.sorted { $0.key < $1.key }.map { .init($0.key, json($0.value)) }))
    }

    /// Numbers and truth values stay what they are.
    private static func json(_ value: Logger.MetadataValue) -> JSONValue {
        guard case .stringConvertible(let value) = value else { return .string("\(value)") }
        return switch value {
        case let number as any BinaryInteger: .integer(Int64(clamping: number))
        case let number as Double: .double(number)
        case let flag as Bool: .bool(flag)
        default: .string("\(value)")
        }
    }
}
