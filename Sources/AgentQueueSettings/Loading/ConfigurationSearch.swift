import AgentQueueModel
import Foundation

/// Finds the configuration file, and the default place of the database.
struct ConfigurationSearch {
    /// The value of `--config`.
    let configPath: String?
    let environment: [String: String]
    let currentDirectory: String

    /// A configuration file that was found.
    struct Found {
        /// The path as it was given, for messages.
        let path: String
        /// The folder that holds the file; its relative paths refer to it.
        let folder: String
        let text: String
    }

    /// `HOME`; nil unless it is an absolute path.
    var home: String? { absolute("HOME") }

    /// `$XDG_DATA_HOME/agent-queue/queue.db`, or below `~/.local/share` if the variable is not set; nil without a home folder.
    var defaultDatabase: String? {
        folder("XDG_DATA_HOME", orBelowHome: ".local/share").map { PathText.join($0, "agent-queue/queue.db") }
    }

    /// The first of `--config`, `AGENT_QUEUE_CONFIG`, `./agent-queue.yaml` and `$XDG_CONFIG_HOME/agent-queue/config.yaml`, or nil.
    ///
    /// It is an error if a file that was named does not exist, or if one that exists cannot be read.
    func find(_ files: FileReader) throws(SettingsError) -> Found? {
        if let configPath { return try named(configPath, by: .commandLine(option: "--config"), files) }
        if let path = environment["AGENT_QUEUE_CONFIG"], !path.isEmpty {
            return try named(path, by: .environment(name: "AGENT_QUEUE_CONFIG"), files)
        }
        if let here = try file("agent-queue.yaml", at: PathText.join(currentDirectory, "agent-queue.yaml"), files) { return here }
        guard let folder = folder("XDG_CONFIG_HOME", orBelowHome: ".config") else { return nil }
        let path = PathText.join(folder, "agent-queue/config.yaml")
        return try file(path, at: path, files)
    }

    private func named(_ path: String, by origin: SettingsOrigin, _ files: FileReader) throws(SettingsError) -> Found {
        let absolute: String
        do {
            absolute = try PathText.resolve(path, folder: currentDirectory, home: home)
        } catch {
            throw SettingsError(origin: origin, message: error.message)
        }
        guard let found = try file(path, at: absolute, files) else {
            throw SettingsError(origin: .file(path: path, line: nil), message: "there is no such file (named by \(origin.place))")
        }
        return found
    }

    private func file(_ path: String, at absolute: String, _ files: FileReader) throws(SettingsError) -> Found? {
        do {
            return try files.read(absolute).map { Found(path: path, folder: PathText.folder(of: absolute), text: $0.text) }
        } catch {
            throw SettingsError(origin: .file(path: path, line: nil), message: error.message)
        }
    }

    /// As the XDG specification demands, a variable that is empty or not an absolute path counts as unset.
    private func folder(_ name: String, orBelowHome fallback: String) -> String? {
        absolute(name) ?? home.map { PathText.join($0, fallback) }
    }

    private func absolute(_ name: String) -> String? {
        environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
}

/// File paths as people write them in a configuration.
enum PathText {
    /// Makes a path absolute: `~/x` is below `home`, any other relative path below `folder`.
    static func resolve(_ path: String, folder: String, home: String?) throws(InvalidText) -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw InvalidText("\(InvalidText.quoted(path)) is not a file path") }
        if path.hasPrefix("/") { return path }
        if path.hasPrefix("~") {
            guard path == "~" || path.hasPrefix("~/") else {
                throw InvalidText("\(InvalidText.quoted(path)) names another user's home (write the folder out)")
            }
            guard let home else { throw InvalidText("\(InvalidText.quoted(path)) needs HOME, which is not set") }
            return join(home, String(path.dropFirst(2)))
        }
        return join(folder, path)
    }

    /// `folder/path`, without `./` and doubled slashes at the joint.
    static func join(_ folder: String, _ path: String) -> String {
        var path = Substring(path)
        while path.hasPrefix("./") { path = path.dropFirst(2) }
        guard !path.isEmpty else { return folder }
        return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
    }

    /// The folder that holds a file: `/` for `/x`, `.` for `x`.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// Reads the configuration and key files. Tests substitute their own.
package struct FileReader: Sendable {
    /// Reads the file at an absolute path; nil if there is none.
    /// - Throws: `InvalidText` with the reason if the file exists but cannot be read.
    package let read: @Sendable (_ path: String) throws(InvalidText) -> FileContents?

    /// See ``read`` for what the function must return.
    package init(_ read: @escaping @Sendable (_ path: String) throws(InvalidText) -> FileContents?) {
        self.read = read
    }

    /// The file system. Files over 1 MiB and text that is not UTF-8 are rejected; a byte order mark is left out. Pipes work (`--config <(generate)`).
    package static let system = FileReader { (path: String) throws(InvalidText) -> FileContents? in
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
        return FileContents(text: try FileText.read(bytes), permissions: UInt32(status.st_mode) & 0o7777)
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}

/// The contents of a file and its permissions, read from the same open descriptor.
package struct FileContents: Equatable, Sendable {
    package let text: String
    /// The permission bits, such as 0o600.
    package let permissions: UInt32

    /// By default, a file that only its owner may read.
    package init(text: String, permissions: UInt32 = 0o600) {
        self.text = text
        self.permissions = permissions
    }
}
