import JobModel
import Settings

/// A queue named on the command line.
enum QueueName {
    /// - Throws: `CommandFailure` for what no queue can be called.
    static func check(_ name: String) throws {
        let isWord = name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }
        guard !name.isEmpty, name.utf8.count <= JobLimits.maxNameBytes, isWord else {
            let rule = "at most \(JobLimits.maxNameBytes) bytes, no blanks, commas or control characters"
            throw CommandFailure(.usage, "\(InvalidText.quoted(name)) is no queue's name (\(rule))")
        }
    }

    /// Says whether it is paused now.
    static func report(_ name: String, isPaused: Bool, json: Bool) throws {
        var output = Output()
        if json {
            try output.json(.object([.init("queue", .string(name)), .init("paused", .bool(isPaused))]))
        } else {
            try output.line("\(DisplayText.line(name)) \(isPaused ? "is paused" : "runs")")
        }
        try output.flush()
    }
}
