import Foundation
import Synchronization

/// The repository that these tests were built from.
enum Repository {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../..").standardized.path(
        percentEncoded: false)

    /// What a file says.
    static func text(_ path: String) throws -> String { try String(contentsOfFile: root + path, encoding: .utf8) }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + path) }

    private static let read = Mutex<[String: [SwiftFile]]>([:])

    /// The Swift files under a folder, by their paths from the root: read once.
    static func swiftFiles(under folder: String) throws -> [SwiftFile] {
        if let files = read.withLock({ $0[folder] }) { return files }
        let files = try find(under: folder)
        read.withLock { $0[folder] = files }
        return files
    }

    private static func find(under folder: String) throws -> [SwiftFile] {
        let names = FileManager.default.enumerator(atPath: root + folder)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { try SwiftFile(path: "\(folder)/\($0)") }
    }

    /// The folders directly in another.
    static func folders(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root + folder).sorted().filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(root)\(folder)/\(name)", isDirectory: &isFolder) && isFolder.boolValue
        }
    }

    /// The modules of the library: those of `Sources` that are not programs.
    static func libraryModules() throws -> [String] { try folders(in: "Sources").filter { $0.hasPrefix("AgentQueue") } }

    /// The targets of the package's manifest.
    static func targets() throws -> Set<String> {
        let manifest = try text("Package.swift")
        let patterns = [/\b(?:module|suite)\(\s*"([^"]+)"/, /[tT]arget\(\s*name: "([^"]+)"/]
        return Set(patterns.flatMap { manifest.matches(of: $0).map { String($0.output.1) } })
    }
}
