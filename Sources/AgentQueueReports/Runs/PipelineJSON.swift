import AgentQueue
import AgentQueueModel
import AgentQueuePipelines

/// Pipelines as JSON.
package enum PipelineJSON {
    package static func entry(_ entry: CatalogEntry) -> JSONValue {
        .object([
            .init("name", .string(entry.name)), .init("mode_of", JobJSON.string(entry.pipeline)),
            .init("from", .string("\(entry.source)")), .init("description", .string(entry.summary)),
            .init("error", JobJSON.string(entry.fault?.description)),
        ])
    }

    package static func input(_ input: PipelineInput) -> JSONValue {
        .object([
            .init("name", .string(input.name)), .init("type", .string(input.type.rawValue)),
            .init("required", .bool(input.fallback == nil)), .init("default", input.fallback ?? .null),
            .init("description", .string(input.summary)),
        ])
    }

    /// A step of a pipeline.
    package static func node(_ node: StepNode) -> JSONValue {
        .object([
            .init("step", .string(node.name)), .init("role", JobJSON.string(node.role)),
            .init("needs", .array(node.needs.map(JSONValue.string))), .init("manner", JobJSON.string(node.manner)),
            .init("when", JobJSON.string(node.condition)), .init("steps", .array(node.children.map(PipelineJSON.node))),
        ])
    }

    package static func fault(_ fault: PipelineError) -> JSONValue {
        .object([
            .init("file", JobJSON.string(fault.path)), .init("line", fault.line.map { .integer(Int64($0)) } ?? .null),
            .init("key", JobJSON.string(fault.key)), .init("message", .string(fault.message)),
        ])
    }
}
