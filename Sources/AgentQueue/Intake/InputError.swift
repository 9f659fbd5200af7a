/// Why what a user asked cannot become a job: one sentence, without a full stop.
package struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What a program ends with because of it.
    package enum ExitKind: Int32, Sendable {
        /// An option or argument is wrong.
        case usage = 64
        /// The data is wrong: a prompt, a line of JSONL.
        case badData = 65
        /// Reading, or setting aside what a pipe brought, failed.
        case inputOutput = 74
        /// A file that may not be read.
        case permission = 77
    }

    /// What is wrong, and where it can be said, what to do. Holds no raw control or formatting character, and is cut after 2,000
    /// characters.
    package let message: String
    /// What a program ends with.
    package let exit: ExitKind

    /// The exit code.
    package var exitCode: Int32 { exit.rawValue }

    /// Makes an error; characters that could act on a terminal are written as `\u{1b}`.
    package init(_ message: String, exit: ExitKind) {
        self.message = Self.printable(message)
        self.exit = exit
    }

    /// The message.
    package var description: String { message }

    /// The same error met in a line of a file: bad data, unless the machine is at fault.
    func inLine(_ number: Int) -> InputError {
        InputError("line \(number): \(message)", exit: exit == .usage ? .badData : exit)
    }

    private static func printable(_ text: String) -> String {
        if text.utf8.count <= 2_000, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var shown = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < 2_000 else { return shown + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}
