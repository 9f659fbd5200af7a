/// The pipelines that the program brings along, compiled into the binary from `config/pipelines/*.yaml`.
package enum ShippedPipelines {
    /// Their texts, by name.
    package static let all: [String: String] = [
        "coding": PackageResources.coding_yaml,
        "compare": PackageResources.compare_yaml,
        "content": PackageResources.content_yaml,
        "extract": PackageResources.extract_yaml,
        "summarize": PackageResources.summarize_yaml,
    ].mapValues { String(decoding: $0, as: UTF8.self) }
}
