import AgentQueueModel
import Glibc

/// A file that gets its name only when it is complete. Until then, and if it is never completed, an older file with that name stays. If
/// the path is not a regular file (a pipe, a device), it is written directly. Only the owner can read it.
package final class PendingFile {
    package let path: String
    /// Whether it is a regular file.
    let isSeekable: Bool
    private let descriptor: Int32
    /// The temporary path; nil once the file has its name, and for anything but a regular file.
    private var temporary: String?
    private let target: String
    private var buffer: [UInt8] = []
    private static let flushBytes = 256 << 10

    /// Opens a file for writing.
    /// - Throws: `InputError` if it cannot be created.
    package init(path: String) throws(InputError) {
        guard !path.isEmpty, !TextSize.holdsNUL(path) else { throw InputError("the path to write to is not one", kind: .usage) }
        self.path = path
        var status = stat()
        let exists = stat(path, &status) == 0
        guard !exists || status.st_mode & S_IFMT != S_IFDIR else { throw BulkInput.failure("\(path) cannot be written", EISDIR) }
        isSeekable = !exists || status.st_mode & S_IFMT == S_IFREG
        guard isSeekable else {
            target = path
            descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { throw BulkInput.failure("\(path) cannot be written", errno) }
            return
        }
        // Replace the file that a symbolic link refers to, not the link.
        target = exists ? Self.resolved(path) : path
        var template = Array("\(target).XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw BulkInput.failure("\(path) cannot be written", errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        close(descriptor)
        if let temporary { unlink(temporary) }
    }

    /// Appends bytes.
    /// - Throws: `InputError`.
    package func write(_ bytes: [UInt8]) throws(InputError) {
        buffer += bytes
        if buffer.count >= Self.flushBytes { try flush() }
    }

    /// Replaces the first bytes, which must have been written.
    func overwriteBeginning(_ bytes: [UInt8]) throws(InputError) {
        try flush()
        let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count else { throw BulkInput.failure("\(path) cannot be written", count < 0 ? errno : ENOSPC) }
    }

    /// Completes the file and gives it its name. Nothing can be written afterwards.
    /// - Throws: `InputError`.
    package func finish() throws(InputError) {
        try flush()
        guard let temporary else { return }
        guard fsync(descriptor) == 0, rename(temporary, target) == 0 else { throw BulkInput.failure("\(path) cannot be written", errno) }
        self.temporary = nil
    }

    private func flush() throws(InputError) {
        defer { buffer.removeAll(keepingCapacity: true) }
        var start = 0
        while start < buffer.count {
            let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + start }, $0.count - start) }
            if count >= 0 {
                start += count
                continue
            }
            let code = errno
            guard code == EINTR else { throw BulkInput.failure("\(path) cannot be written", code) }
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let name = realpath(path, nil) else { return path }
        defer { free(name) }
        return String(cString: name)
    }
}
