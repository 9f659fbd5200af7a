/// Every key below `models.<provider/model>`.
extension ModelSettings {
    static let keys = SettingTable<ModelSettings>([
        Setting("fallbacks", \.fallbacks, .list(of: .target)),
        Setting("fallback_after", \.fallbackAfter, .optional(.duration(.zero ... .hours(24)))),
        Setting("batch_api", \.batchAPI, .flag),
        Setting("cache_ttl", \.cacheTTL, .optional(.duration(.seconds(1) ... .days(3650)))),
        Setting("semantic_cache", \.semanticCache, .optional(.flag)),
        Setting("query_prefix", \.queryPrefix, .optional(.text(maxBytes: 1 << 10))),
        Setting("passage_prefix", \.passagePrefix, .optional(.text(maxBytes: 1 << 10))),
        Setting("price.input_per_mtok", \.inputPerMTok, .optional(.number(0...1_000_000))),
        Setting("price.output_per_mtok", \.outputPerMTok, .optional(.number(0...1_000_000))),
        Setting("price.cache_read_per_mtok", \.cacheReadPerMTok, .optional(.number(0...1_000_000))),
        Setting("price.cache_write_per_mtok", \.cacheWritePerMTok, .optional(.number(0...1_000_000))),
        Setting("max_output_tokens", \.maxOutputTokens, .optional(.integer(1...10_000_000))),
        Setting("limits.rpm", \.limits.rpm, .optional(.integer(1...10_000_000))),
        Setting("limits.tpm", \.limits.tpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.itpm", \.limits.itpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.otpm", \.limits.otpm, .optional(.integer(1...1_000_000_000))),
        Setting("limits.concurrency", \.limits.concurrency, .optional(.integer(1...1024))),
        Setting("limits.usd_per_day", \.limits.usdPerDay, .optional(.number(0...1_000_000))),
    ])
}
