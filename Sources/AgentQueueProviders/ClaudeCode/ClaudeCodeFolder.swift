import Foundation
import Glibc
import Synchronization

/// A private folder of the provider, for its user alone: the empty folder that programs run in, and files with system texts.
///
/// The program reads what it finds in its working directory (instructions, hooks), so it runs in an empty one. The folder's name contains
/// the process id, so that other processes recognise what a killed one has left behind.
final class ClaudeCodeFolder: Sendable {
    /// The folder could not be created or written to.
    struct Failed: Error {
        /// What failed, as a clause.
        var clause: String
    }

    private struct State {
        var path: String?
        var files = 0
    }

    private let parent: String
    private let state = Mutex(State())

    /// Its path; nil until it is needed.
    var current: String? { state.withLock { $0.path } }

    /// Chooses where it will be. Nothing is created yet.
    /// - Parameter parent: the folder to create it in.
    init(in parent: String) {
        self.parent = parent
    }

    /// The empty folder, created on first use.
    func workingDirectory() throws(Failed) -> String { try path() + "/work" }

    /// Writes a system text to its own file, mode 0600.
    /// - Returns: its path. Call ``remove(_:)`` when it has been read.
    func write(_ text: String) throws(Failed) -> String {
        let folder = try path()
        let number = state.withLock { state in
            state.files += 1
            return state.files
        }
        let file = "\(folder)/system-\(number).txt"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Failed(clause: "a file for the system text cannot be made (errno \(errno))") }
        defer { Glibc.close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                remove(file)
                throw Failed(clause: "the system text cannot be written to a file (errno \(code))")
            }
            rest = rest.dropFirst(count)
        }
        return file
    }

    /// Removes a file.
    func remove(_ file: String) { unlink(file) }

    /// Removes the folder with everything in it.
    func remove() {
        let path = state.withLock { state in
            defer { state.path = nil }
            return state.path
        }
        if let path { try? FileManager.default.removeItem(atPath: path) }
    }

    private static let prefix = "agent-queue-claude-"

    /// Removes folders of this user whose process is gone. What cannot be removed is left for the next one: nothing depends on it.
    private func removeLeft() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(Self.prefix) {
            let parts = name.dropFirst(Self.prefix.count).split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let pid = pid_t(parts[0]), pid > 0, kill(pid, 0) != 0, errno == ESRCH else { continue }
            let path = "\(parent)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private func path() throws(Failed) -> String {
        let result: Result<String, Failed> = state.withLock { state in
            if let path = state.path { return .success(path) }
            removeLeft()
            var template = Array("\(parent)/\(Self.prefix)\(getpid())-XXXXXX".utf8CString)
            // Mode 0700, whatever the umask.
            guard mkdtemp(&template) != nil else {
                return .failure(Failed(clause: "no folder can be made in \(parent) (errno \(errno))"))
            }
            let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard mkdir("\(path)/work", 0o700) == 0 else {
                return .failure(Failed(clause: "no folder can be made in \(path) (errno \(errno))"))
            }
            state.path = path
            return .success(path)
        }
        return try result.get()
    }
}
