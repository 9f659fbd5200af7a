import AgentQueueModel

/// One thing the doctor looked at.
package struct Finding {
    /// What was looked at.
    package let subject: String
    package let level: Level
    /// What was found; what to do about it, too, unless all is well.
    package let message: String
    /// What kind of trouble a fault is; nil for all else.
    package let problem: Problem?

    /// How bad it is.
    package enum Level: String {
        case good = "ok"
        /// Works, and may surprise.
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
