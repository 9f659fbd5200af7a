/// Every key below `providers.<name>`.
extension ProviderSettings {
    static let keys = SettingTable<ProviderSettings>([
        Setting("kind", \.kind, .choice()),
        Setting("base_url", \.baseURL, .optional(.baseURL)),
        Setting("api_key_env", \.apiKeyEnv, .optional(.environmentName)),
        Setting("api_key_file", \.apiKeyFile, .optional(.path)),
        Setting("command", \.command, .optional(.program)),
        Setting("api", \.api, .optional(.choice())),
        Setting("api_version", \.apiVersion, .optional(.date)),
        Setting("prompt_cache", \.promptCache, .optional(.choice())),
        Setting("warm", \.warm, .optional(.flag)),
        Setting("concurrency", \.concurrency, .optional(.integer(1...1024))),
        Setting("embeddings.max_inputs", \.embeddings.maxInputs, .optional(.integer(1...10_000))),
        Setting("embeddings.max_tokens", \.embeddings.maxTokens, .optional(.integer(1...10_000_000))),
        Setting("embeddings.max_bytes", \.embeddings.maxBytes, .optional(.bytes((1 << 10)...(1 << 30)))),
        Setting("batch.linger", \.batch.linger, .optional(.duration(.zero ... .hours(1)))),
        Setting("batch.poll", \.batch.poll, .optional(.duration(.seconds(1) ... .hours(1)))),
        Setting("limits.rpm", \.limits.rpm, .optional(.integer(1...10_000_000))),
        Setting("limits.tpm", \.limits.tpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.itpm", \.limits.itpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.otpm", \.limits.otpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.concurrency", \.limits.concurrency, .optional(.integer(1...1024))),
        Setting("limits.usd_per_day", \.limits.usdPerDay, .optional(.number(0...1_000_000))),
    ])
}
