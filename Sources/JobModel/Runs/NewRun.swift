/// A run as it begins.
public struct NewRun: Sendable, Equatable {
    /// What was asked for: a pipeline's or a mode's name.
    public var name: String
    /// SHA-256 of the definition.
    public var digest: [UInt8]
    /// The pipeline with its roles, its mode's settings and its schemas, JSON.
    public var definition: String
    /// An object, checked.
    public var inputs: JSONValue
    /// What holds for all its jobs: an object.
    public var options: JSONValue
    /// Refuses a second run of the same key, until this one has failed, or is cancelled or pruned.
    public var uniqueKey: String?
    /// Who is to be told of its end: names of notifications of the configuration.
    public var onFinish: [String] = []
    /// The first calls; all that ``RunAdvance`` says but run and version, which are not known yet.
    public var first: RunAdvance

    /// Makes a run that begins with nothing.
    public init(name: String, digest: [UInt8], definition: String, inputs: JSONValue, options: JSONValue) {
        self.name = name
        self.digest = digest
        self.definition = definition
        self.inputs = inputs
        self.options = options
        first = RunAdvance(run: 0, version: 1)
    }
}
