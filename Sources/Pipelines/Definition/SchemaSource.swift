import JobModel

/// Where the JSON Schema of a step's answers comes from.
public enum SchemaSource: Sendable, Equatable {
    /// It is part of the pipeline.
    case inline(JSONValue)
    /// The run is given it: the name of an input of type object.
    case input(String)
}
