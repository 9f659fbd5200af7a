import JobModel

extension Pipeline {
    /// All of it as JSON, in the words of the YAML: what a run keeps. The same pipeline always has the same. Without its modes, and without
    /// roles that none of its steps has.
    public var definition: String {
        var writer = DefinitionWriter()
        writer.add("name", .string(source.name))
        if !source.summary.isEmpty { writer.add("description", .string(source.summary)) }
        writer.add("model", source.model.map(JSONValue.string))
        if !source.inputs.isEmpty {
            writer.add("inputs", .object(source.inputs.map { .init($0.name, DefinitionWriter.json(of: $0)) }))
        }
        let used = Set(source.steps.flatMap(DefinitionWriter.roles))
        let roles = source.roles.filter { used.contains($0.name) }
        if !roles.isEmpty { writer.add("roles", .object(roles.map { .init($0.name, DefinitionWriter.json(of: $0)) })) }
        writer.add("steps", DefinitionWriter.json(of: source.steps))
        writer.add("output", source.output.map(JSONValue.string))
        return JSONValue.object(writer.members).text
    }
}
