import AgentQueue
import ArgumentParser
import Settings

/// Points in time on the command line: `2026-12-01T09:00Z`, or how long ago.
enum TimeOption {
    /// For an option's `transform`: wall clock, ms.
    ///
    /// - Throws: `ValidationError`, with what is wrong.
    static func parse(_ text: String) throws -> Int64 {
        do {
            if let ago = try? DurationText.parse(text) { return Now.milliseconds - ago.milliseconds }
            return try TimeText.parseRFC3339(text)
        } catch {
            throw ValidationError("\(error.message), nor a duration such as 1h")
        }
    }
}
