import AgentQueueModel
import AgentQueueSettings

/// Reads a pipeline from its nodes, and collects all faults with their places.
struct DefinitionReader {
    /// The file as it was named.
    let path: String?
    /// The folder that names of schema files are relative to.
    let folder: String
    let files: FileReader
    var positions = Positions()
    var faults: [PipelineError] = []

    init(path: String?, folder: String, files: FileReader) {
        self.path = path
        self.folder = folder
        self.files = files
    }

    /// The names of steps, inputs and roles with a fault in what they say; nil if a whole section could not be read, such as `steps`.
    var unread: Set<String>? {
        var names: Set<String> = []
        for fault in faults {
            let parts = fault.key?.split(separator: ".").map(String.init) ?? []
            switch (parts.first, parts.count) {
            case (nil, _), ("steps", 1), ("inputs", 1), ("roles", 1): return nil
            case ("steps", _): names.formUnion(parts.dropFirst().filter { $0 != "steps" })
            case ("inputs", _), ("roles", _): names.insert(parts[1])
            default: continue
            }
        }
        return names
    }

    private static let keys = ["name", "description", "model", "inputs", "roles", "steps", "output", "modes"]

    /// Reads everything. What is faulty is left out.
    mutating func read(_ root: DefinitionNode, defaultName: String) -> PipelineSource {
        var source = PipelineSource(name: defaultName)
        guard let fields = fields(of: root, at: "", known: Self.keys) else { return source }
        if let name = fields["name"].flatMap({ text($0, "name") }) { source.name = name }
        if let summary = fields["description"].flatMap({ text($0, "description") }) { source.summary = summary }
        source.model = fields["model"].flatMap { text($0, "model") }
        // One that cannot be read stays as a name, so that what uses it is not refused, too.
        source.inputs = named(fields["inputs"], "inputs") { $0.input($1, $2, $3) ?? PipelineInput($1) }
        source.roles = named(fields["roles"], "roles") { $0.role($1, $2, $3) ?? Role($1) }
        source.steps = named(fields["steps"], "steps") { $0.step($1, $2, $3) ?? Self.unreadStep($1) }
        source.output = fields["output"].flatMap { text($0, "output") }
        let pipeline = source.name
        source.modes = named(fields["modes"], "modes") { reader, name, node, key in reader.mode(name, of: pipeline, node, key) }
        return source
    }

    /// Takes the place of a step that cannot be read.
    static func unreadStep(_ name: String) -> Step { Step(name, work: .call(Call(prompt: "-"))) }

    private mutating func input(_ name: String, _ node: DefinitionNode, _ key: String) -> PipelineInput? {
        guard !node.isNull else { return PipelineInput(name) }
        guard let fields = fields(of: node, at: key, known: ["type", "default", "description"]) else { return nil }
        var input = PipelineInput(name)
        if let type = fields["type"].flatMap({ word($0, "\(key).type", of: PipelineInput.Kind.self, also: Self.foreignTypes) }) {
            input.type = type
        }
        // A text input's default is a text with or without quotes: `default: 5.10` stays as it is written.
        input.fallback = fields["default"].map { $0.text.flatMap { input.type == .text ? JSONValue.string($0) : nil } ?? $0.json }
        input.summary = fields["description"].flatMap { text($0, "\(key).description") } ?? ""
        return input
    }

    /// What JSON Schema and programming languages call the types of inputs.
    private static let foreignTypes = [
        "string": "text", "str": "text", "int": "integer", "float": "number", "double": "number", "decimal": "number", "bool": "boolean",
        "array": "list", "map": "object", "dict": "object", "json": "object",
    ]

    /// The keys of a role.
    static let roleKeys = JobOption.ofRoles.map(\.name) + ["parameters"]

    private mutating func role(_ name: String, _ node: DefinitionNode, _ key: String) -> Role? {
        guard !node.isNull else { return Role(name) }
        guard let fields = fields(of: node, at: key, known: Self.roleKeys) else { return nil }
        return role(name, fields, key)
    }

    /// What a role, a step or a judge says about how it asks.
    mutating func role(_ name: String, _ fields: [String: DefinitionNode], _ key: String) -> Role {
        var job = JobDraft()
        for option in JobOption.ofRoles { read(option, fields, key, into: &job) }
        job.parameters = fields["parameters"].flatMap { object($0, "\(key).parameters") } ?? []
        return Role(name, job)
    }

    private mutating func mode(_ name: String, of pipeline: String, _ node: DefinitionNode, _ key: String) -> PipelineMode? {
        guard !node.isNull else { return PipelineMode(name, of: pipeline) }
        guard let fields = fields(of: node, at: key, known: ["inputs", "model", "roles"]) else { return nil }
        return PipelineMode(
            name, of: pipeline, inputs: fields["inputs"].flatMap { object($0, "\(key).inputs") } ?? [],
            model: fields["model"].flatMap { text($0, "\(key).model") },
            roles: named(fields["roles"], "\(key).roles") { reader, name, node, key in reader.role(name, node, key) })
    }
}

/// A pipeline as it is written. Only types have been checked.
struct PipelineSource: Sendable, Equatable {
    var name: String
    var summary = ""
    /// A mode's target for calls whose step and role name none: a template that may use inputs.
    var model: String?
    var inputs: [PipelineInput] = []
    var roles: [Role] = []
    var steps: [Step] = []
    var output: String?
    var modes: [PipelineMode] = []
}

/// The lines of keys in a file.
struct Positions {
    private var lines: [String: Int] = [:]
    private var texts: [String: Int] = [:]

    /// Records the line of a value: its own line for a single value, the key's line for keys and values.
    mutating func keep(_ key: String, _ pair: DefinitionNode.Pair) {
        let isSingle = pair.value.text != nil
        lines[key] = isSingle ? pair.value.line ?? pair.line : pair.line ?? pair.value.line
        texts[key] = pair.value.textLine
    }

    /// The line of a key or the nearest key that contains it; of a line within its text, if that is known.
    func line(of key: String, textLine: Int? = nil) -> Int? {
        if let textLine, let first = texts[key] { return first + textLine - 1 }
        var key = Substring(key)
        while true {
            if let line = lines[String(key)] { return line }
            guard let end = key.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
            key = key[..<end]
        }
    }
}
