import ArgumentParser
import Settings

/// Durations on the command line.
enum DurationOption {
    /// For an option's `transform`.
    ///
    /// - Throws: `ValidationError`, with what is wrong.
    static func parse(_ text: String) throws -> Duration {
        do {
            return try DurationText.parse(text)
        } catch {
            throw ValidationError(error.message)
        }
    }
}
