import AgentQueueModel

/// One result of `doctor`.
package struct Finding {
    package let subject: String
    package let level: Level
    /// What was found and, unless all is well, what to do about it.
    package let message: String
    /// The kind of problem; nil unless this is a fault.
    package let problem: Problem?

    package enum Level: String {
        case good = "ok"
        /// Works, but may be surprising.
        case note
        case fault

        package var tone: Tone {
            switch self {
            case .good: .good
            case .note: .warning
            case .fault: .bad
            }
        }
    }

    package static func good(_ subject: String, _ message: String) -> Finding {
        Finding(subject: subject, level: .good, message: message, problem: nil)
    }

    package static func note(_ subject: String, _ message: String) -> Finding {
        Finding(subject: subject, level: .note, message: message, problem: nil)
    }

    package static func fault(_ subject: String, _ message: String, _ problem: Problem) -> Finding {
        Finding(subject: subject, level: .fault, message: message, problem: problem)
    }

    package var json: JSONValue {
        .object([.init("subject", .string(subject)), .init("level", .string(level.rawValue)), .init("message", .string(message))])
    }
}
