import Pipelines

/// Something that `agent-queue run` knows by name.
public struct CatalogEntry: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What it is for, in a sentence; empty where nothing is said.
    public var summary: String
    /// The pipeline that it is a mode of; nil for a pipeline.
    public var pipeline: String?
    /// Where it comes from.
    public var source: Source
    /// Why it cannot be run; nil where it can.
    public var fault: PipelineError?

    /// Where a pipeline or a mode comes from.
    public enum Source: Sendable, Equatable, CustomStringConvertible {
        /// The program brings it along.
        case shipped
        /// A file of the user's, as it was named.
        case file(String)
        /// `modes:` of the configuration.
        case configuration

        /// `shipped`, `configuration`, or the file.
        public var description: String {
            switch self {
            case .shipped: "shipped"
            case .file(let path): path
            case .configuration: "configuration"
            }
        }
    }
}
