import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueShipped
import Crypto
import Foundation

/// Everything that can be run by name: the user's pipelines, the shipped ones that no user's pipeline of the same name hides, and the
/// modes of all of them. A mode of the configuration takes precedence over anything else with its name.
package struct PipelineCatalog: Sendable {
    let settings: Settings
    private let files: FileReader
    private let folder: PipelineFolder
    private let shipped: [String: String]
    let own: [any ModelProvider]
    private let checks: PipelineChecks

    /// Makes the catalog of a configuration. Reads nothing yet.
    /// - Parameter own: the embedding program's providers, which jobs of a run may name.
    package init(
        _ settings: Settings, files: FileReader = .system, folder: PipelineFolder = .system, own: [any ModelProvider] = []
    ) {
        self.init(settings, files: files, folder: folder, shipped: ShippedPipelines.all, own: own)
    }

    init(
        _ settings: Settings, files: FileReader, folder: PipelineFolder, shipped: [String: String], own: [any ModelProvider] = []
    ) {
        self.settings = settings
        self.own = own
        checks = settings.intakeContext(now: 0, own: own).pipelineChecks
        self.files = files
        self.folder = folder
        self.shipped = shipped
    }

    /// All entries, by name, without those that another hides.
    /// - Throws: `PipelineError` if the user's folder cannot be read.
    package func entries() throws(PipelineError) -> [CatalogEntry] {
        let files = try all()
        var entries: [String: CatalogEntry] = [:]
        for file in files where entries[file.name] == nil {
            var entry = CatalogEntry(name: file.name, summary: "", source: file.source)
            switch file.pipeline {
            case .success(let pipeline): entry.summary = pipeline.summary
            case .failure(let fault): entry.fault = fault
            }
            entries[file.name] = entry
        }
        let pipelines = entries
        for file in files where pipelines[file.name]?.source == file.source {
            for mode in file.modes where entries[mode.name] == nil {
                entries[mode.name] = Self.entry(mode.name, of: file.name, file.source, pipelines)
            }
        }
        for (name, mode) in settings.modes {
            var entry = Self.entry(name, of: mode.pipeline, .configuration, pipelines)
            if pipelines[mode.pipeline] == nil { entry.fault = unknownPipeline(of: name, known: pipelines.keys.sorted()) }
            entries[name] = entry
        }
        return entries.values.sorted { $0.name < $1.name }
    }

    private static func entry(
        _ name: String, of pipeline: String, _ source: CatalogEntry.Source, _ pipelines: [String: CatalogEntry]
    ) -> CatalogEntry {
        CatalogEntry(
            name: name, summary: pipelines[pipeline]?.summary ?? "", pipeline: pipeline, source: source, fault: pipelines[pipeline]?.fault)
    }

    /// The pipeline with a name, or the pipeline of the mode with this name, with the mode's settings.
    /// - Throws: `PipelineError` for the first fault of its file; `InputError` (`usage`) if nothing has this name.
    package func pipeline(named name: String) throws -> Pipeline {
        if let mode = settings.modes[name] {
            guard let pipeline = try plain(named: mode.pipeline) else {
                throw unknownPipeline(of: name, known: try all().map(\.name).sorted())
            }
            return try apply(mode, named: name, to: pipeline)
        }
        if let pipeline = try plain(named: name) { return pipeline }
        for file in try all() {
            guard let mode = file.modes.first(where: { $0.name == name }), try plain(named: file.name) != nil else { continue }
            return try file.pipeline.get().applying(mode, checks: checks)
        }
        let names = try entries().map(\.name)
        let hint = Suggestion.hint(for: name, in: names)
        let known = hint.isEmpty ? " (there are \(names.prefix(50).joined(separator: ", ")))" : hint
        throw InputError("there is no pipeline or mode \(InvalidText.quoted(name))\(known)", kind: .usage)
    }

    /// Every fault in the user's pipelines, the shipped ones, and the modes of the configuration.
    /// - Throws: `PipelineError` if the user's folder cannot be read.
    package func faults() throws(PipelineError) -> [PipelineError] {
        let all = try all()
        var faults = all.flatMap(\.faults)
        var owners: [String: CatalogEntry.Source] = [:]
        for file in all {
            if let owner = owners[file.name], file.source != .shipped {
                faults.append(
                    PipelineError(
                        path: "\(file.source)", key: "name", message: "\(InvalidText.quoted(file.name)) is the name of \(owner), too"))
            }
            owners[file.name] = owners[file.name] ?? file.source
        }
        for (name, mode) in settings.modes.sorted(by: { $0.key < $1.key }) {
            guard let file = all.first(where: { $0.name == mode.pipeline }) else {
                faults.append(unknownPipeline(of: name, known: all.map(\.name).sorted()))
                continue
            }
            guard case .success(let pipeline) = file.pipeline else { continue }
            let wrong = pipeline.faults(of: settings.mode(name, mode)).map { located($0, mode: name) }
            faults += wrong
            guard wrong.isEmpty else { continue }
            do throws(PipelineError) {
                _ = try apply(mode, named: name, to: pipeline)
            } catch {
                faults.append(error)
            }
        }
        return faults
    }

    /// Every fault in one file.
    package func faults(ofFile path: String) -> [PipelineError] { read(path).faults }

    // MARK: Files

    /// The pipeline with a name, without a mode; nil if there is none.
    private func plain(named name: String) throws -> Pipeline? {
        let own = try ownFiles()
        if let file = own.first(where: { $0.name == name }) { return try file.pipeline.get() }
        guard let text = shipped[name] else { return nil }
        return try readShipped(name, text).pipeline.get()
    }

    /// The user's files, then the shipped ones.
    private func all() throws(PipelineError) -> [PipelineFile] {
        try ownFiles() + shipped.sorted { $0.key < $1.key }.map(readShipped)
    }

    private func readShipped(_ name: String, _ text: String) -> PipelineFile {
        PipelineFile(
            path: "\(name).yaml", .success(text), source: .shipped, roles: settings.pipelineRoles, files: files, checks: checks)
    }

    private func ownFiles() throws(PipelineError) -> [PipelineFile] {
        guard !settings.pipelines.isEmpty else { return [] }
        let names: [String]
        do {
            names = try folder.list(settings.pipelines)
        } catch {
            throw PipelineError(path: settings.pipelines, message: error.message)
        }
        return names.map { read("\(settings.pipelines)/\($0)") }
    }

    private func read(_ path: String) -> PipelineFile {
        let text = Result { () throws(InvalidText) -> String in
            guard let contents = try files.read(path) else { throw InvalidText("there is no such file") }
            return contents.text
        }
        return PipelineFile(path: path, text, source: .file(path), roles: settings.pipelineRoles, files: files, checks: checks)
    }

    // MARK: Modes of the configuration

    private func apply(_ mode: ModeSettings, named name: String, to pipeline: Pipeline) throws(PipelineError) -> Pipeline {
        do throws(PipelineError) {
            return try pipeline.applying(settings.mode(name, mode), checks: checks)
        } catch {
            throw located(error, mode: name)
        }
    }

    private func unknownPipeline(of mode: String, known: [String]) -> PipelineError {
        let name = settings.modes[mode]?.pipeline ?? ""
        let hint = Suggestion.hint(for: name, in: known)
        let fault = PipelineError(key: "modes.\(mode).pipeline", message: "there is no pipeline \(InvalidText.quoted(name))\(hint)")
        return located(fault, mode: mode)
    }

    /// A fault of a mode, with its key in the configuration.
    private func located(_ fault: PipelineError, mode: String) -> PipelineError {
        var fault = fault
        fault.path = settings.configPath
        if case .file(_, let line) = settings.origin(of: "modes.\(mode)") { fault.line = line }
        return fault
    }
}

/// A pipeline or mode that can be run by name.
package struct CatalogEntry: Sendable, Equatable {
    /// Its name.
    package var name: String
    /// A one-sentence description; may be empty.
    package var summary: String
    /// The pipeline of a mode; nil for a pipeline.
    package var pipeline: String?
    /// Where it comes from.
    package var source: Source
    /// Why it cannot be run; nil if it can.
    package var fault: PipelineError?

    /// Where a pipeline or a mode comes from.
    package enum Source: Sendable, Equatable, CustomStringConvertible {
        /// Shipped with the library.
        case shipped
        /// A file of the user, by the path as it was given.
        case file(String)
        /// `modes:` of the configuration.
        case configuration

        /// `shipped`, `configuration`, or the file.
        package var description: String {
            switch self {
            case .shipped: "shipped"
            case .file(let path): path
            case .configuration: "configuration"
            }
        }
    }
}

extension PipelineCatalog {
    /// Prepares a run of a pipeline or mode by name. Its first calls are left to whoever resumes the run.
    /// - Parameters:
    ///   - inputs: an object; values that it does not have are those of the mode, or the pipeline's defaults.
    ///   - now: wall clock, in ms.
    /// - Throws: `PipelineError` for a pipeline that cannot be used; `InputError` for an unknown name and for invalid inputs and options.
    package func resolve(_ name: String, inputs: JSONValue, options: RunOptions = RunOptions(), now: Int64) throws -> NewRun {
        let pipeline = try pipeline(named: name)
        let inputs = try checked(inputs, of: pipeline)
        // Options that every job of the run would be refused for are refused before there is a run.
        var draft = JobDraft()
        draft.prompt = "-"
        options.complete(&draft)
        try draft.check(in: settings.intakeContext(now: now, own: own))
        let definition = pipeline.definition
        var run = NewRun(
            name: name, digest: Array(SHA256.hash(data: Data(definition.utf8))), definition: definition, inputs: inputs,
            options: options)
        run.first.isDue = true
        return run
    }

    /// The inputs as a run keeps them, with their types checked and defaults filled in.
    /// - Throws: `InputError` (`badData`), also if the inputs together are too long.
    package func checked(_ inputs: JSONValue, of pipeline: Pipeline) throws(InputError) -> JSONValue {
        let checked: JSONValue
        do {
            checked = try pipeline.checked(inputs: inputs)
        } catch {
            throw InputError(error.description, kind: .badData)
        }
        guard checked.utf8(sorted: false).count <= JobLimits.maxRequestBytes else {
            let limit = ByteCountText.format(Int64(JobLimits.maxRequestBytes))
            throw InputError("the inputs are longer than \(limit) together", kind: .badData)
        }
        return checked
    }
}
