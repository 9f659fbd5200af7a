import Foundation
import Glibc
import Synchronization

/// A terminal that a test holds the other end of: a program that uses it behaves as it does for a person.
package final class PseudoTerminal: Sendable {
    /// It could not be opened.
    package struct NotOpened: Error {}

    private struct State {
        var written: [UInt8] = []
        var isOver = false
        var isHungUp = false
        var slave: Int32
    }

    /// What a program opens.
    package let path: String
    private let master: Int32
    private let state: Mutex<State>
    private let printed = Counter()

    /// Opens one.
    package init(width: UInt16) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: Int32 = 0
        // TIOCSPTLCK and TIOCGPTN, macros that Swift does not see: grantpt(3) and ptsname(3) are hidden from it as well.
        guard master >= 0, ioctl(master, 0x4004_5431, &unlocked) == 0, ioctl(master, 0x8004_5430, &number) == 0 else { throw NotOpened() }
        path = "/dev/pts/\(number)"
        // Held open until a program has it: reading ends once nobody holds it any more.
        let slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        var size = winsize(ws_row: 40, ws_col: width, ws_xpixel: 0, ws_ypixel: 0)
        guard slave >= 0, ioctl(slave, UInt(TIOCSWINSZ), &size) == 0 else { throw NotOpened() }
        state = Mutex(State(slave: slave))
        Thread.detachNewThread { [self] in read() }
    }

    /// All that has been written to it so far.
    package var output: String { state.withLock { String(decoding: $0.written, as: UTF8.self) } }

    /// Types something, such as `\u{3}` for Ctrl-C. The terminal keeps a line until a program reads it.
    package func type(_ text: String) { _ = text.withCString { write(master, $0, strlen($0)) } }

    /// Waits until a text has been written to it.
    package func waitForOutput(_ text: String, within limit: Duration = .seconds(30)) async throws {
        try await wait(limit, "the terminal shows '\(text)'") { written, _ in String(decoding: written, as: UTF8.self).contains(text) }
    }

    /// Waits until no program has it open, and returns all that was written.
    package func end(within limit: Duration = .seconds(30)) async throws -> String {
        state.withLock { state in
            if state.slave >= 0 { close(state.slave) }
            state.slave = -1
        }
        try await wait(limit, "the terminal is left") { _, isOver in isOver }
        return output
    }

    /// Closes it under the programs that use it, as a window that is closed.
    package func hangUp() async throws {
        state.withLock { $0.isHungUp = true }
        _ = try await end()
    }

    private func wait(_ limit: Duration, _ what: String, _ condition: @escaping @Sendable ([UInt8], _ isOver: Bool) -> Bool) async throws {
        try await within(limit, what) { [self] in
            while true {
                let seen = printed.count
                let (written, isOver) = state.withLock { ($0.written, $0.isOver) }
                if condition(written, isOver) { return }
                if isOver { throw TookTooLong("\(what): it was left, with \(String(decoding: written, as: UTF8.self))") }
                try await printed.wait(atLeast: seen + 1)
            }
        }
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while !state.withLock(\.isHungUp) {
            var event = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            guard poll(&event, 1, 20) > 0 else { continue }
            let count = Glibc.read(master, &chunk, chunk.count)
            // An error, once nobody holds the other end.
            guard count > 0 else { break }
            state.withLock { $0.written += chunk[..<count] }
            printed.add()
        }
        close(master)
        state.withLock { $0.isOver = true }
        printed.add()
    }
}
