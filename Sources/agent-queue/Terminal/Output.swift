import AgentQueueModel
import AgentQueueReports
import Glibc

/// Buffered standard output, for data only.
///
/// Callers must escape stored text with ``DisplayText``; ``json(_:)`` escapes by itself.
struct Output {
    private var buffer: [UInt8] = []
    private static let flushSize = 64 << 10

    /// Writes an escaped line.
    mutating func line(_ text: String = "") throws {
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Writes escaped lines.
    mutating func lines(_ lines: [String]) throws {
        for text in lines { try line(text) }
    }

    /// Writes text without a line break.
    mutating func text(_ text: String) throws {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Writes a value on its own line.
    mutating func json(_ value: JSONValue) throws {
        JSONText.write(value, to: &buffer)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Writes the buffer. Call it at the end of a command and before a wait.
    ///
    /// - Throws: `OutputClosed` if the pipe is closed; `CommandFailure` if writing fails, for example on a full disk.
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
            // The pipe is non-blocking: wait until it accepts more.
            var waiting = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
            poll(&waiting, 1, -1)
        default: throw SystemFailure.make("write to standard output", errno: code)
        }
    }
}

/// Standard output was closed (`| head`). The command ends quietly and successfully.
struct OutputClosed: Error {}

/// Standard error, for everything that is not data.
enum Diagnostics {
    /// Writes `agent-queue: …` on one line, with control characters escaped.
    static func say(_ sentence: String) {
        write("agent-queue: \(DisplayText.line(sentence))\n")
    }

    /// Writes text unchanged. Errors are ignored: there is nowhere to report them.
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
