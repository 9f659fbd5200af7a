/// A value given on the command line for a key of the configuration.
public struct SettingsOverride: Equatable, Sendable {
    /// The key, such as `worker.concurrency` or `database`. Keys of single providers and models cannot be given this way.
    public let key: String
    /// The text as it was given.
    public let value: String
    /// The option it was given to, such as `--concurrency`, for messages and `config show`.
    public let option: String

    /// Makes an override; the value is checked when the settings are loaded.
    public init(key: String, value: String, option: String) {
        self.key = key
        self.value = value
        self.option = option
    }
}
