/// The pipelines that the program brings along, compiled into the binary from `config/pipelines/*.yaml`.
public enum ShippedPipelines {
    /// Their texts, by name.
    public static let all: [String: String] = [:]
}
