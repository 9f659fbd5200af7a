import AgentQueueModel
import AgentQueueSettings

extension Pipeline {
    /// Reads a pipeline from its YAML.
    /// - Parameters:
    ///   - path: the file as it was named, for messages. The pipeline's default name and the folder of its schemas come from it.
    ///   - roles: the configuration's roles. The file's own override them by name, key by key.
    ///   - files: how schema files are read.
    ///   - folder: the folder that their names are relative to; nil for the file's.
    ///   - checks: what is checked besides the text.
    /// - Throws: `PipelineError` with the first fault, its file, line and key.
    package init(
        yaml text: String, path: String, roles: [Role] = [], files: FileReader = .system, folder: String? = nil,
        checks: PipelineChecks = PipelineChecks()
    ) throws(PipelineError) {
        switch Self.read(yaml: text, path: path, roles: roles, files: files, folder: folder, checks: checks) {
        case .success(let pipeline): self = pipeline
        case .failure(let faults): throw faults.all[0]
        }
    }

    /// Reads a pipeline's YAML; files that it names (schemas) are read by their paths.
    /// - Parameters:
    ///   - text: the text.
    ///   - path: the file, as messages name it; what names in it are relative to.
    /// - Throws: `PipelineError`, the first fault, with file, line and key.
    public init(yaml text: String, path: String) throws(PipelineError) {
        try self.init(yaml: text, path: path, files: .system)
    }

    /// All faults of a pipeline's YAML, by line; empty if it can be used. Parameters as for
    /// ``init(yaml:path:roles:files:folder:checks:)``.
    package static func check(
        yaml text: String, path: String, roles: [Role] = [], files: FileReader = .system, folder: String? = nil,
        checks: PipelineChecks = PipelineChecks()
    ) -> [PipelineError] {
        switch read(yaml: text, path: path, roles: roles, files: files, folder: folder, checks: checks) {
        case .success: []
        case .failure(let faults): faults.all
        }
    }

    /// Reads a ``definition``.
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
        let reader = DefinitionReader(path: path, folder: ".", files: none)
        switch Self.read(DefinitionNode(json), reader, name: "", roles: [], checks: .none) {
        case .success(let pipeline): self = pipeline
        case .failure(let faults): throw faults.all[0]
        }
    }

    /// One or more faults.
    private struct Faults: Error {
        var all: [PipelineError]
    }

    private static func read(
        yaml text: String, path: String, roles: [Role], files: FileReader, folder: String?, checks: PipelineChecks
    ) -> Result<Pipeline, Faults> {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let own = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let endings = [".yaml", ".yml"].filter { file.hasSuffix($0) }
        let reader = DefinitionReader(path: path, folder: folder ?? own, files: files)
        do throws(YAMLNodes.Fault) {
            guard let root = try YAMLNodes.read(text), !root.isNull else { throw YAMLNodes.Fault(message: "is empty", line: nil) }
            return read(root, reader, name: String(file.dropLast(endings.first?.count ?? 0)), roles: roles, checks: checks)
        } catch {
            return .failure(Faults(all: [PipelineError(path: path, line: error.line, message: error.message)]))
        }
    }

    private static func read(
        _ root: DefinitionNode, _ reader: DefinitionReader, name: String, roles: [Role], checks: PipelineChecks
    ) -> Result<Pipeline, Faults> {
        var reader = reader
        var source = reader.read(root, defaultName: name)
        source.roles = Role.merged(roles, source.roles)
        var faults = reader.faults
        // Without a whole section, nothing that uses it can be checked.
        guard let unread = reader.unread else { return .failure(Faults(all: sorted(faults))) }
        guard
            let pipeline = Pipeline(
                source, path: reader.path, positions: reader.positions, checks: checks, unread: unread, tryingModes: true,
                faults: &faults)
        else { return .failure(Faults(all: sorted(faults))) }
        // A run keeps its definition, and whoever continues the run reads it again.
        guard pipeline.definition.utf8.count <= PipelineLimits.maxBytes else {
            return .failure(Faults(all: [PipelineError(path: reader.path, message: "is larger than 1 MiB with its roles and schemas")]))
        }
        return .success(pipeline)
    }

    /// In the order of the file.
    private static func sorted(_ faults: [PipelineError]) -> [PipelineError] {
        faults.sorted { ($0.line ?? .max) < ($1.line ?? .max) }
    }
}
