import Pipelines
import Settings

/// A file that holds a pipeline, as it was read.
struct PipelineFile {
    let source: CatalogEntry.Source
    /// The name that it is run by: what it says, or else the file's without folder and ending.
    let name: String
    /// What is in it, or the first thing that is wrong with it.
    let pipeline: Result<Pipeline, PipelineError>
    /// Its text; nil where it could not be read.
    private let text: String?
    private let path: String
    private let roles: [Role]
    private let files: FileReader

    /// Reads a file.
    /// - Parameters:
    ///   - path: absolute, or as it is named in messages.
    ///   - text: what is in it; an error where it cannot be read.
    ///   - roles: those of the configuration.
    init(
        path: String, _ text: Result<String, InvalidText>, source: CatalogEntry.Source, roles: [Role], files: FileReader
    ) {
        self.source = source
        self.path = path
        self.roles = roles
        self.files = files
        self.text = try? text.get()
        pipeline = text.mapError { PipelineError(path: path, message: $0.message) }.flatMap { text in
            Result { () throws(PipelineError) in try Pipeline(yaml: text, path: path, roles: roles, files: files) }
        }
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
        name = (try? pipeline.get())?.name ?? stem
    }

    /// The modes that it gives names to.
    var modes: [PipelineMode] { (try? pipeline.get())?.modes ?? [] }

    /// Everything that is wrong with it.
    var faults: [PipelineError] {
        guard case .failure(let first) = pipeline else { return [] }
        guard let text else { return [first] }
        return Pipeline.check(yaml: text, path: path, roles: roles, files: files)
    }
}
