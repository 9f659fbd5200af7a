import Foundation

/// How the configuration and key files are read; tests put their own in its place.
public struct FileReader: Sendable {
    /// The file at an absolute path; nil if there is none; an error, with the reason, if there is one that cannot be read.
    public let read: @Sendable (_ path: String) throws(InvalidText) -> FileContents?

    /// Makes a reader of a function; see ``read`` for what it must return.
    public init(_ read: @escaping @Sendable (_ path: String) throws(InvalidText) -> FileContents?) {
        self.read = read
    }

    /// The file system. Files over 1 MiB and text that is not UTF-8 are refused. Pipes work (`--config <(generate)`).
    public static let system = FileReader { (path: String) throws(InvalidText) -> FileContents? in
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw InvalidText("cannot be opened: \(reason(errno))")
        }
        defer { close(descriptor) }
        return try contents(of: descriptor)
    }

    private static func contents(of descriptor: Int32) throws(InvalidText) -> FileContents {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw InvalidText("cannot be examined: \(reason(errno))") }
        let sizeLimit = 1 << 20
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= sizeLimit {
            let count = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw InvalidText("cannot be read: \(reason(errno))") }
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        guard bytes.count <= sizeLimit else { throw InvalidText("is larger than 1 MiB") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw InvalidText("is not UTF-8 text") }
        return FileContents(text: text, permissions: UInt32(status.st_mode) & 0o7777)
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}
