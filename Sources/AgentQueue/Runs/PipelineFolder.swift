import Foundation
import Settings

/// How the folder of a user's pipelines is read; tests put their own in its place.
public struct PipelineFolder: Sendable {
    /// The names of the files in a folder at an absolute path; none where there is no such folder; an error, with the reason, where there
    /// is one that cannot be read.
    public let list: @Sendable (_ path: String) throws(InvalidText) -> [String]

    /// Makes one of a function; see ``list`` for what it must return.
    public init(_ list: @escaping @Sendable (_ path: String) throws(InvalidText) -> [String]) {
        self.list = list
    }

    /// The most files that a folder may have.
    static let maxFiles = 1_000

    /// The file system.
    public static let system = PipelineFolder { (path: String) throws(InvalidText) -> [String] in
        guard let folder = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw InvalidText("cannot be opened: \(String(cString: strerror(errno)).lowercased())")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { bytes in
                bytes.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".yaml") || name.hasSuffix(".yml"), !name.hasPrefix(".") else { continue }
            guard names.count < maxFiles else { throw InvalidText("holds more than \(maxFiles) pipelines") }
            names.append(name)
        }
        return names.sorted()
    }
}
