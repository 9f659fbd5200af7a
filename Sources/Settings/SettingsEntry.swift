/// One line of `agent-queue config show`.
public struct SettingsEntry: Equatable, Sendable {
    /// Such as `worker.concurrency` or `providers.openai.limits.rpm`.
    public let key: String
    /// As it would be written in a file, secrets masked.
    public let value: String
    /// Where it came from.
    public let origin: SettingsOrigin

    /// Makes a line; `value` must have its secrets masked already.
    public init(key: String, value: String, origin: SettingsOrigin) {
        self.key = key
        self.value = value
        self.origin = origin
    }
}
