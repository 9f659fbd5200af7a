import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import Foundation

/// A pipeline file as it was read.
struct PipelineFile {
    let source: CatalogEntry.Source
    /// The name that runs use: the one in the file, or else the file's name without folder and extension.
    let name: String
    /// The pipeline, or the first fault.
    let pipeline: Result<Pipeline, PipelineError>
    /// Its text; nil if it could not be read.
    private let text: String?
    private let path: String
    private let roles: [Role]
    private let files: FileReader
    private let checks: PipelineChecks

    /// Reads a file.
    /// - Parameters:
    ///   - path: absolute, or as it appears in messages.
    ///   - text: its content; an error if it cannot be read.
    ///   - roles: the roles of the configuration.
    ///   - checks: what the configuration has to say of it.
    init(
        path: String, _ text: Result<String, InvalidText>, source: CatalogEntry.Source, roles: [Role], files: FileReader,
        checks: PipelineChecks
    ) {
        self.source = source
        self.path = path
        self.roles = roles
        self.files = files
        self.checks = checks
        self.text = try? text.get()
        pipeline = text.mapError { PipelineError(path: path, message: $0.message) }.flatMap { text in
            Result { () throws(PipelineError) in
                try Pipeline(yaml: text, path: path, roles: roles, files: files, checks: checks)
            }
        }
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
        name = (try? pipeline.get())?.name ?? stem
    }

    /// The modes that it defines. None if it has a fault, which ``faults`` reports.
    var modes: [PipelineMode] { (try? pipeline.get())?.modes ?? [] }

    /// Every fault in the file.
    var faults: [PipelineError] {
        guard case .failure(let first) = pipeline else { return [] }
        guard let text else { return [first] }
        return Pipeline.check(yaml: text, path: path, roles: roles, files: files, checks: checks)
    }
}

/// How the folder of the user's pipelines is read. Tests substitute their own.
package struct PipelineFolder: Sendable {
    /// Returns the names of the files in a folder at an absolute path; none if there is no such folder. Throws the reason if the folder
    /// cannot be read.
    package let list: @Sendable (_ path: String) throws(InvalidText) -> [String]

    /// Makes one from a function; see ``list`` for what it must return.
    package init(_ list: @escaping @Sendable (_ path: String) throws(InvalidText) -> [String]) {
        self.list = list
    }

    /// The maximum number of files in a folder.
    static let maxFiles = 1_000

    /// The file system.
    package static let system = PipelineFolder { (path: String) throws(InvalidText) -> [String] in
        guard let folder = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw InvalidText("cannot be opened: \(String(cString: strerror(errno)).lowercased())")
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let bytes = withUnsafePointer(to: &entry.pointee.d_name) { bytes in
                bytes.withMemoryRebound(to: UInt8.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: 256).prefix { $0 != 0 })
                }
            }
            let name = String(decoding: bytes, as: UTF8.self)
            guard name.hasSuffix(".yaml") || name.hasSuffix(".yml"), !name.hasPrefix(".") else { continue }
            guard String(validating: bytes, as: UTF8.self) != nil else {
                throw InvalidText("holds a file whose name is not valid UTF-8: \(InvalidText.quoted(name))")
            }
            guard names.count < maxFiles else { throw InvalidText("holds more than \(maxFiles) pipelines") }
            names.append(name)
        }
        return names.sorted()
    }
}

extension Settings {
    /// The roles of the configuration, as pipelines use them.
    var pipelineRoles: [Role] { Self.roles(roles) }

    /// A mode of the configuration, as pipelines use it.
    func mode(_ name: String, _ mode: ModeSettings) -> PipelineMode {
        PipelineMode(name, of: mode.pipeline, inputs: mode.inputs ?? [], model: mode.model, roles: Self.roles(mode.roles))
    }

    private static func roles(_ roles: [String: RoleSettings]) -> [Role] {
        roles.sorted { $0.key < $1.key }.map { name, role in Role(name, role.job) }
    }
}

extension IntakeContext {
    /// What is checked of pipelines that would be run with these settings: their targets have configured providers.
    var pipelineChecks: PipelineChecks {
        PipelineChecks { target in
            identity(target.provider) == nil ? unknownProvider(target.provider, of: "\(target)") : nil
        }
    }
}
