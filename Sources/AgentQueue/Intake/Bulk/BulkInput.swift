import AgentQueueModel
import Glibc

/// JSONL that is read twice, in constant memory. A regular file is read in place; anything else (a pipe, a terminal, a socket) is spooled
/// to an unlinked temporary file first.
///
/// Every pass starts at the beginning. Data that is appended to the file after it was opened is not read. Lines end with a line feed, with
/// or without a carriage return before it; the last line needs none. A UTF-8 byte order mark at the very beginning is skipped. Blank lines
/// are counted and skipped.
package final class BulkInput: Sendable {
    /// Its name in messages: its path, or `standard input`.
    package let name: String
    /// The number of bytes to read.
    package let size: Int64

    private let descriptor: Int32
    /// The offset in the file where the input begins. A shell may pass a descriptor that has been read from.
    private let base: Int64
    private let stamp: Stamp

    /// Changes when the file is written to.
    private struct Stamp: Equatable {
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    /// Opens a file, a named pipe or a device.
    /// - Parameters:
    ///   - path: the file.
    ///   - spoolFolder: where the content of a pipe is spooled, on a disk with enough space: the database's folder. If it is nil, or no
    ///     file can be made in it, `TMPDIR` or `/tmp` is used.
    /// - Throws: `InputError`: `usage` if there is no such file, `permission`, `inputOutput`.
    package convenience init(path: String, spoolFolder: String?) throws(InputError) {
        guard !path.isEmpty, !TextSize.holdsNUL(path) else { throw InputError("the path of the JSONL file is not one", kind: .usage) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw Self.failure("\(path) cannot be opened", errno) }
        try self.init(owned: descriptor, name: path, spoolFolder: spoolFolder)
    }

    /// Reads an open descriptor, such as standard input, from its current offset. The descriptor is duplicated; the caller keeps its own.
    /// - Parameters:
    ///   - descriptor: open for reading.
    ///   - name: its name in messages.
    ///   - spoolFolder: as in ``init(path:spoolFolder:)``.
    /// - Throws: `InputError`: `usage` if it is not open, `inputOutput`.
    package convenience init(descriptor: Int32, name: String = "standard input", spoolFolder: String?) throws(InputError) {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw Self.failure("\(name) cannot be read", errno) }
        try self.init(owned: copy, name: name, spoolFolder: spoolFolder)
    }

    private init(owned opened: Int32, name: String, spoolFolder: String?) throws(InputError) {
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let code = errno
            close(opened)
            throw Self.failure("\(name) cannot be examined", code)
        }
        self.name = name
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            descriptor = opened
            base = max(0, Int64(lseek(opened, 0, SEEK_CUR)))
        case S_IFDIR:
            close(opened)
            throw InputError("\(name) is a folder, not a file of JSONL", kind: .usage)
        default:
            defer { close(opened) }
            descriptor = try Self.spool(opened, name: name, folder: spoolFolder)
            base = 0
            guard fstat(descriptor, &status) == 0 else {
                let code = errno
                close(descriptor)
                throw Self.failure("what was set aside of \(name) cannot be examined", code)
            }
        }
        size = max(0, Int64(status.st_size) - base)
        stamp = Self.stamp(status)
    }

    deinit { close(descriptor) }

    /// Whether the file has been written to since it was opened.
    package var hasChanged: Bool {
        var status = stat()
        return fstat(descriptor, &status) != 0 || Self.stamp(status) != stamp
    }

    /// Calls a closure for each line that is not blank, in a new pass from the beginning.
    /// - Parameters:
    ///   - first: the number of the first line to pass, from 1.
    ///   - body: receives a line's number and its bytes, without the line break and valid only during the call.
    /// - Returns: the number of lines, including blank ones.
    /// - Throws: `InputError` for a line longer than `JobLimits.maxRequestBytes`, or if reading fails; the errors of `body`.
    @discardableResult
    package func forEachLine(
        from first: Int = 1, _ body: (_ number: Int, _ bytes: UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int {
        var reader = LineReader(self)
        var block = LineBlock()
        while try reader.next(&block) {
            for line in block.lines where line.number >= first {
                guard !line.isTooLong else { throw LineBlock.tooLong.inLine(line.number) }
                try block.withBytes(of: line) { try body(line.number, $0) }
            }
        }
        return reader.lineCount
    }

    /// Reads bytes at an offset from the beginning of the input into `buffer`; returns 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(InputError) -> Int {
        let wanted = min(buffer.count, Int(clamping: size - offset))
        guard wanted > 0 else { return 0 }
        while true {
            let count = pread(descriptor, buffer.baseAddress, wanted, off_t(base + offset))
            if count >= 0 { return count }
            let code = errno
            guard code == EINTR else { throw Self.failure("\(name) cannot be read", code) }
        }
    }

    /// The error for an errno.
    static func failure(_ what: String, _ code: Int32) -> InputError {
        let kind: InputError.Kind =
            switch code {
            case ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EBADF, EISDIR: .usage
            case EACCES, EPERM: .permission
            default: .inputOutput
            }
        return InputError("\(what): \(String(cString: strerror(code)).lowercased())", kind: kind)
    }

    private static func stamp(_ status: stat) -> Stamp {
        Stamp(size: Int64(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }
}

extension BulkInput {
    /// `O_TMPFILE`, a macro that Swift does not import. The value is that of Linux on x86 and ARM.
    private static let temporaryFile = 0o20_000_000 | O_DIRECTORY

    /// Copies everything from a descriptor into an unlinked file, and returns the descriptor of that file.
    static func spool(_ source: Int32, name: String, folder: String?) throws(InputError) -> Int32 {
        let target = try unlinkedFile(in: folder, for: name)
        do throws(InputError) {
            try copy(source, to: target, name: name)
        } catch {
            close(target)
            throw error
        }
        return target
    }

    private static func unlinkedFile(in folder: String?, for name: String) throws(InputError) -> Int32 {
        let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        var folders = [temporary.isEmpty ? "/tmp" : temporary]
        if let folder, !folder.isEmpty { folders.insert(folder, at: 0) }
        var code: Int32 = 0
        for folder in folders {
            let direct = open(folder, temporaryFile | O_RDWR | O_CLOEXEC, 0o600)
            if direct >= 0 { return direct }
            // Some file systems do not support unnamed files.
            var path = Array("\(folder)/.agent-queue-XXXXXX".utf8CString)
            let named = mkstemp(&path)
            if named >= 0 {
                unlink(path)
                _ = fcntl(named, F_SETFD, FD_CLOEXEC)
                return named
            }
            code = errno
        }
        throw failure("\(name) cannot be set aside in \(folders.joined(separator: " or "))", code)
    }

    private static func copy(_ source: Int32, to target: Int32, name: String) throws(InputError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LineReader.chunkBytes, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(source, buffer.baseAddress, buffer.count)
            if count == 0 { return }
            if count > 0 {
                try writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: target, name: name)
                continue
            }
            let code = errno
            switch code {
            case EINTR: continue
            case EAGAIN:
                // The pipe is non-blocking.
                var wait = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
                _ = poll(&wait, 1, 1_000)
            default: throw failure("\(name) cannot be read", code)
            }
        }
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to target: Int32, name: String) throws(InputError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(target, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                continue
            }
            let code = errno
            guard code == EINTR else { throw failure("what \(name) brings cannot be set aside", code) }
        }
    }
}
