import Pipelines
import Settings

/// A file that holds a pipeline, as it was read.
struct PipelineFile {
    let source: CatalogEntry.Source
    /// Its name without folder and ending: the pipeline's, unless it says another.
    let stem: String
    /// What is in it.
    let pipeline: Result<Pipeline, PipelineError>
    /// Everything that is wrong with it.
    let faults: [PipelineError]
    let modes: [PipelineMode]

    /// The name that it is run by.
    var name: String { (try? pipeline.get())?.name ?? stem }

    /// Reads the text of one.
    init(_ text: String, path: String, source: CatalogEntry.Source, roles: [Role], files: FileReader) {
        self.source = source
        stem = Self.stem(of: path)
        let reading = Pipeline.check(yaml: text, path: path, roles: roles, files: files)
        faults = reading.faults
        modes = reading.modes
        if let pipeline = reading.pipeline {
            self.pipeline = .success(pipeline)
        } else {
            pipeline = .failure(reading.faults.first ?? PipelineError(path: path, message: "holds no pipeline"))
        }
    }

    /// A file that could not be read.
    init(unreadable path: String, source: CatalogEntry.Source, reason: String) {
        self.source = source
        stem = Self.stem(of: path)
        let fault = PipelineError(path: path, message: reason)
        pipeline = .failure(fault)
        faults = [fault]
        modes = []
    }

    /// `coding` for `config/pipelines/coding.yaml`.
    static func stem(of path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }
}
