import AgentQueueModel
import AgentQueueReports
import Glibc

/// Standard output: data alone, buffered, and whole lines.
///
/// Written bytes are safe for a terminal: callers escape stored text (``DisplayText``), and ``json(_:)`` escapes by itself.
struct Output {
    private var buffer: [UInt8] = []
    private static let flushSize = 64 << 10

    /// A line of text, already fit for a terminal.
    mutating func line(_ text: String = "") throws {
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Lines of text, already fit for a terminal.
    mutating func lines(_ lines: [String]) throws {
        for text in lines { try line(text) }
    }

    /// Text as it is, without a line's end.
    mutating func text(_ text: String) throws {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// A JSON value on a line of its own.
    mutating func json(_ value: JSONValue) throws {
        JSONText.write(value, to: &buffer)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Hands everything to the reader. To be called at the end of a command, and before a wait.
    ///
    /// - Throws: `OutputClosed` if there is no reader any more; a `CommandFailure` if the disk is full, say.
    mutating func flush() throws {
        defer { buffer.removeAll(keepingCapacity: true) }
        try buffer.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else {
                    try recover(from: errno)
                }
            }
        }
    }

    private func recover(from code: Int32) throws {
        switch code {
        case EINTR: return
        case EPIPE: throw OutputClosed()
        case EAGAIN:
            // Someone made the pipe non-blocking: wait until it takes more.
            var waiting = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
            poll(&waiting, 1, -1)
        default: throw SystemFailure.make("write to standard output", errno: code)
        }
    }
}

/// Nobody reads standard output any more (`| head`): the command ends, quietly and with success.
struct OutputClosed: Error {}

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
