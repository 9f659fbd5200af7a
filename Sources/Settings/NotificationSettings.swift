/// `notifications.<name>:` — a way to tell somebody that a job, a batch or a run has ended: a command or a webhook.
public struct NotificationSettings: Equatable, Sendable {
    /// What is run, by `/bin/sh -c`, with the notice as JSON on its standard input. Either this or ``url``.
    public var command: String?
    /// Where the notice is posted, `http` or `https`, as Standard Webhooks have it. Either this or ``command``.
    public var url: String?
    /// The environment variable that holds the secret to sign with, `whsec_…`. Looked at before ``secretFile``. Without either, a
    /// webhook is not signed.
    public var secretEnv: String?
    /// The absolute path of a file (mode 0600) that holds the secret.
    public var secretFile: String?
    /// How long one attempt may take, 1 s to 1 h. Default 30 s.
    public var timeout: Duration = .seconds(30)
    /// Attempts there may be, 1 to 100. Default 10.
    public var maxAttempts = 10

    /// Neither a command nor a webhook.
    public init() {}

    /// Looks for the secret to sign with: the environment variable first, then the file, as for a provider's key.
    public func resolveSecret(environment: [String: String], files: FileReader = .system) -> APIKey {
        var holder = ProviderSettings(kind: .openai)
        holder.apiKeyEnv = secretEnv
        holder.apiKeyFile = secretFile
        return holder.resolveAPIKey(environment: environment, files: files)
    }
}
