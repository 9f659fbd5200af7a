import Glibc

/// A question to the person at the terminal.
enum Question {
    /// Asks on standard error and reads one line of standard input. Anything but `y` or `yes` is a no.
    ///
    /// - Returns: Nil if there is no person to ask, because one of the two is not a terminal.
    static func ask(_ question: String) -> Bool? {
        guard isatty(STDIN_FILENO) == 1, Screen.error.isTerminal else { return nil }
        Diagnostics.write("\(question) [y/N] ")
        let answer = readLine() ?? ""
        return ["y", "yes"].contains(answer.lowercased().filter { !$0.isWhitespace })
    }
}
