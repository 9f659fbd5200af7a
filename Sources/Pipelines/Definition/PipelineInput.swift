import JobModel

/// One thing that a pipeline is given.
public struct PipelineInput: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What it may be.
    public var type: Kind
    /// What it is where it is not given; nil where it must be.
    public var fallback: JSONValue?
    /// What it is for, in a sentence.
    public var summary: String

    /// What an input may be.
    public enum Kind: String, Sendable, CaseIterable {
        case text, integer, number, boolean, list, object
    }

    /// Makes an input.
    public init(_ name: String, _ type: Kind = .text, default fallback: JSONValue? = nil, summary: String = "") {
        self.name = name
        self.type = type
        self.fallback = fallback
        self.summary = summary
    }
}
