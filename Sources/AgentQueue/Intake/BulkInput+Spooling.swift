import Glibc

extension BulkInput {
    /// `O_TMPFILE`, a macro that Swift does not see; the value is that of every Linux on x86 and ARM.
    private static let temporaryFile = 0o20_000_000 | O_DIRECTORY

    /// Copies all that a descriptor brings into an unlinked file, and returns that file's.
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
            // Some file systems know no unnamed files.
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
                // Someone made the pipe non-blocking.
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
