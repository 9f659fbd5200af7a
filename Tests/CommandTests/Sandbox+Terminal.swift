import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension Sandbox {
    /// Runs `agent-queue` with a pseudo terminal as its standard output and error; returns all that it wrote there.
    ///
    /// - Parameter typed: what a person types there; nil for no one at the keyboard.
    func terminal(
        _ arguments: String..., width: UInt16, typed: String? = nil, environment: [String: String] = [:]
    ) async throws -> String {
        try await terminal(arguments: arguments, width: width, typed: typed, environment: environment)
    }

    func terminal(
        arguments: [String], width: UInt16, typed: String? = nil, environment: [String: String] = [:]
    ) async throws -> String {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: Int32 = 0
        // TIOCSPTLCK and TIOCGPTN, macros that Swift does not see: grantpt(3) and ptsname(3) are hidden from it as well.
        let isReady = master >= 0 && ioctl(master, 0x4004_5431, &unlocked) == 0 && ioctl(master, 0x8004_5430, &number) == 0
        try #require(isReady)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(slave >= 0)
        var size = winsize(ws_row: 40, ws_col: width, ws_xpixel: 0, ws_ypixel: 0)
        let isSized = ioctl(slave, UInt(TIOCSWINSZ), &size) == 0
        try #require(isSized)

        // The terminal keeps the line until the program reads it.
        if let typed { _ = typed.withCString { write(master, $0, strlen($0)) } }
        let process = try ChildProcess(
            "/bin/sh",
            [
                "-c", "cd \"$0\" && tty=$1 && input=$2 && shift 2 && exec \"$@\" <\"$input\" >\"$tty\" 2>&1", folder,
                "/dev/pts/\(number)", typed == nil ? "/dev/null" : "/dev/pts/\(number)", Self.program,
            ] + arguments, environment: self.environment.merging(environment) { $1 }.merging(["TERM": "xterm"]) { $1 })

        // Reading ends with an error once nobody holds the other end any more.
        async let written = withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 4_096)
                while case let count = Glibc.read(master, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
                close(master)
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
        try await process.end(within: .seconds(120))
        close(slave)
        return await written
    }
}
