import Glibc

/// The process that holds a database's write lock. There is one most of the time while processes write, and never one for long, unless it
/// is stopped.
package struct WriteLockHolder: Sendable, Equatable {
    package let pid: Int32
    /// The name of its program.
    package let program: String
    /// Whether it is stopped, by SIGSTOP or a debugger.
    package let isStopped: Bool

    /// For example `process 4711 (agent-queue), which is stopped`, to be followed by what else it does.
    package var description: String { "process \(pid) (\(program)), which is \(isStopped ? "stopped" : "running")" }

    /// What to do about it.
    package var remedy: String { isStopped ? "continue it with 'kill -CONT \(pid)', or end it" : "wait for it, or end it" }

    /// The write lock's byte in the WAL index, the `-shm` file; part of SQLite's file format.
    private static let byte: Int64 = 120

    /// Looks for the holder; nil if nobody holds the lock, or the kernel does not tell, as of processes in another container.
    ///
    /// Reads the kernel's list of locks. To ask for the lock of the file itself, one would have to open it, and closing it would release
    /// SQLite's locks in this process.
    package static func current(of database: String) -> WriteLockHolder? {
        var status = stat()
        guard lstat(database + "-shm", &status) == 0 else { return nil }
        let node = ":\(status.st_ino)"
        let number = UInt64(status.st_dev)
        let (major, minor) = ((number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00))
        let device = hex(major) + ":" + hex(minor)
        let holders = lines(of: "/proc/locks").compactMap { line -> (file: Substring, pid: Int32)? in
            // 1: POSIX  ADVISORY  WRITE 4711 08:01:131 120 120, and an arrow after the number for one that waits
            let fields = line.split(separator: " ")
            guard fields.count == 8, fields[1] == "POSIX", fields[3] == "WRITE", let pid = Int32(fields[4]), pid > 0,
                fields[5].hasSuffix(node), let first = Int64(fields[6]), first <= byte, Int64(fields[7]) ?? .max >= byte
            else { return nil }
            return (fields[5], pid)
        }
        // Some file systems report another device here than to `stat`.
        guard let pid = (holders.first { $0.file == device + node } ?? holders.first)?.pid else { return nil }
        return WriteLockHolder(pid: pid)
    }

    private init(pid: Int32) {
        self.pid = pid
        program = Self.lines(of: "/proc/\(pid)/comm").first.map(String.init) ?? "unknown"
        // The name, in parentheses, may contain anything.
        let state = Self.lines(of: "/proc/\(pid)/stat").first.flatMap { line in
            line.lastIndex(of: ")").flatMap { line[$0...].dropFirst(2).first }
        }
        isStopped = state == "T" || state == "t"
    }

    private static func hex(_ number: UInt64) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }

    private static func lines(of path: String) -> [Substring] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
