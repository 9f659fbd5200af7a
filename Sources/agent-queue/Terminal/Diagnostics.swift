import Glibc

/// Standard error: everything that is not data.
enum Diagnostics {
    /// `agent-queue: …`, one line; control characters are escaped.
    static func say(_ sentence: String) {
        write("agent-queue: \(DisplayText.line(sentence))\n")
    }

    /// Text as it is. That nobody may be listening is not worth a word.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            var rest = utf8[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDERR_FILENO, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
