import AgentQueueModel

/// `notifications.<name>:` — a way to report that a job, a batch or a run has ended: a command or a webhook.
package struct NotificationSettings: Equatable, Sendable {
    /// The command, run by `/bin/sh -c` with the notification as JSON on its standard input. Set either this or ``url``.
    package var command: String?
    /// The `http` or `https` address the notification is posted to, following Standard Webhooks. Set either this or ``command``.
    package var url: String?
    /// The JSON that a webhook posts in place of the notification: a ``NotificationTemplate``. Nil posts the notification.
    package var body: String?
    /// The environment variable that holds the signing secret, `whsec_…`. It takes precedence over ``secretFile``. Without either, a
    /// webhook is not signed.
    package var secretEnv: String?
    /// The absolute path of a file (mode 0600) that holds the signing secret.
    package var secretFile: String?
    /// How long one attempt may take, 1 s to 1 h. Default 30 s.
    package var timeout: Duration = .seconds(30)
    /// How many attempts there may be, 1 to 100. Default 10.
    package var maxAttempts = 10

    /// Sets neither a command nor a webhook.
    package init() {}

    /// Looks for the signing secret in the environment variable first, then in the file, as for a provider's key.
    package func resolveSecret(environment: [String: String], files: FileReader = .system) -> KeyLookup {
        var holder = ProviderSettings(kind: .openai)
        holder.apiKeyEnv = secretEnv
        holder.apiKeyFile = secretFile
        return holder.resolveAPIKey(environment: environment, files: files)
    }
}

/// Every key below `notifications.<name>`.
extension NotificationSettings {
    static let keys = SettingTable<NotificationSettings>([
        Setting("command", \.command, .optional(.text(maxBytes: 16 << 10))),
        Setting("url", \.url, .optional(.webhookURL)),
        Setting("body", \.body, .optional(.text(maxBytes: 16 << 10))),
        Setting("secret_env", \.secretEnv, .optional(.environmentName)),
        Setting("secret_file", \.secretFile, .optional(.path)),
        Setting("timeout", \.timeout, .duration(.seconds(1) ... .hours(1))),
        Setting("max_attempts", \.maxAttempts, .integer(1...100)),
    ])
}
