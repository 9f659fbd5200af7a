import AgentQueueModel
import AgentQueueSettings

extension Pipeline {
    /// Reads a pipeline from its YAML.
    /// - Parameters:
    ///   - path: the file as it was named, for messages, and where its name and its schemas' folder come from.
    ///   - roles: those of the configuration, which the file's own override by name, key by key.
    ///   - files: how schema files are read.
    ///   - folder: what their names are relative to; nil is the file's folder.
    /// - Throws: `PipelineError`, the first fault, with file, line and key.
    package init(
        yaml text: String, path: String, roles: [Role] = [], files: FileReader = .system, folder: String? = nil
    ) throws(PipelineError) {
        switch Self.read(yaml: text, path: path, roles: roles, files: files, folder: folder) {
        case .success(let pipeline): self = pipeline
        case .failure(let faults): throw faults.all[0]
        }
    }

    /// Every fault of a pipeline's YAML, by line; empty for one that can be used. As ``init(yaml:path:roles:files:folder:)``.
    package static func check(
        yaml text: String, path: String, roles: [Role] = [], files: FileReader = .system, folder: String? = nil
    ) -> [PipelineError] {
        switch read(yaml: text, path: path, roles: roles, files: files, folder: folder) {
        case .success: []
        case .failure(let faults): faults.all
        }
    }

    /// Reads what ``definition`` wrote.
    /// - Throws: `PipelineError`.
    package init(definition: String) throws(PipelineError) {
        let path = "the stored definition"
        let json: JSONValue
        do {
            json = try JSONValue.parse(definition)
        } catch {
            throw PipelineError(path: path, message: "is \(error.description)")
        }
        let none = FileReader { (_: String) throws(InvalidText) in nil }
        switch Self.read(DefinitionNode(json), DefinitionReader(path: path, folder: ".", files: none), name: "", roles: []) {
        case .success(let pipeline): self = pipeline
        case .failure(let faults): throw faults.all[0]
        }
    }

    /// One fault or more.
    private struct Faults: Error {
        var all: [PipelineError]
    }

    private static func read(
        yaml text: String, path: String, roles: [Role], files: FileReader, folder: String?
    ) -> Result<Pipeline, Faults> {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let own = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let endings = [".yaml", ".yml"].filter { file.hasSuffix($0) }
        let reader = DefinitionReader(path: path, folder: folder ?? own, files: files)
        do throws(YAMLNodes.Fault) {
            guard let root = try YAMLNodes.read(text), !root.isNull else { throw YAMLNodes.Fault(message: "is empty", line: nil) }
            return read(root, reader, name: String(file.dropLast(endings.first?.count ?? 0)), roles: roles)
        } catch {
            return .failure(Faults(all: [PipelineError(path: path, line: error.line, message: error.message)]))
        }
    }

    private static func read(
        _ root: DefinitionNode, _ reader: DefinitionReader, name: String, roles: [Role]
    ) -> Result<Pipeline, Faults> {
        var reader = reader
        var source = reader.read(root, defaultName: name)
        source.roles = Role.merged(roles, source.roles)
        var faults = reader.faults
        // What is left out because it cannot be read would be missed elsewhere.
        guard faults.isEmpty else { return .failure(Faults(all: sorted(faults))) }
        guard let pipeline = Pipeline(source, path: reader.path, positions: reader.positions, faults: &faults) else {
            return .failure(Faults(all: sorted(faults)))
        }
        // What is kept of a run is read again, by whoever goes on with it.
        guard pipeline.definition.utf8.count <= PipelineLimits.maxBytes else {
            return .failure(Faults(all: [PipelineError(path: reader.path, message: "is larger than 1 MiB with its roles and schemas")]))
        }
        return .success(pipeline)
    }

    /// As a reader of the file meets them.
    private static func sorted(_ faults: [PipelineError]) -> [PipelineError] {
        faults.sorted { ($0.line ?? .max) < ($1.line ?? .max) }
    }
}
