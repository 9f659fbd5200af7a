import JobModel

/// One thing the doctor looked at.
struct Finding {
    /// What was looked at.
    let subject: String
    let level: Level
    /// What was found; what to do about it, too, unless all is well.
    let message: String
    /// What the command ends with because of it.
    let status: Int32

    /// How bad it is.
    enum Level: String {
        case good = "ok"
        /// Works, and may surprise.
        case note
        case fault

        var style: Style {
            switch self {
            case .good: .good
            case .note: .warning
            case .fault: .bad
            }
        }
    }

    static func good(_ subject: String, _ message: String) -> Finding {
        Finding(subject: subject, level: .good, message: message, status: 0)
    }

    static func note(_ subject: String, _ message: String) -> Finding {
        Finding(subject: subject, level: .note, message: message, status: 0)
    }

    static func fault(_ subject: String, _ message: String, _ status: Int32) -> Finding {
        Finding(subject: subject, level: .fault, message: message, status: status)
    }

    var json: JSONValue {
        .object([.init("subject", .string(subject)), .init("level", .string(level.rawValue)), .init("message", .string(message))])
    }
}
