import Glibc

/// What `/proc/PID/stat` says of a process.
struct ProcessStatus {
    /// When it started, in clock ticks since the machine did.
    let startTime: UInt64
    /// Whether it has ended, and only waits for its parent to take notice.
    let hasEnded: Bool

    /// Reads it; nil where there is no such process.
    init?(of pid: Int32) {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        self.init(line: buffer[..<count])
    }

    /// Reads the file's line: `pid (name) state …`, the start time as its 22nd field. The name may hold anything, blanks and
    /// parentheses too, so that what counts begins behind the last `)`.
    init?(line: ArraySlice<UInt8>) {
        guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[line.index(after: end)...].split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") })
        // The state is the third field of the line, and the first behind the name.
        guard fields.count > 19, let state = fields[0].first, let time = UInt64(String(decoding: fields[19], as: UTF8.self)) else {
            return nil
        }
        startTime = time
        hasEnded = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    }
}
