import AgentQueueModel

/// `models.<provider/model>:` — settings of one target.
package struct ModelSettings: Equatable, Sendable {
    /// Targets to try, in this order, if this one fails through its own fault, is paused, or makes a job wait longer than `fallbackAfter`.
    /// Default none: no prompt goes to another vendor unless its owner says so.
    package var fallbacks: [String] = []
    /// The longest wait for this target's rate limits before the first fallback is used instead; nil keeps waiting. 0 to 24 h.
    package var fallbackAfter: Duration?
    /// Whether jobs that do not say otherwise use the provider's batch API, which costs less and takes up to a day. Default false.
    package var batchAPI = false
    /// How long a reply may be served unless its job says so itself; nil uses `cache.ttl`. 1 s to 3650 days.
    package var cacheTTL: Duration?
    /// Whether the reply to the most similar earlier prompt may be served; nil uses `cache.semantic.enabled`.
    package var semanticCache: Bool?
    /// The prefix of a text that searches for others; nil uses what the model's name suggests (``Settings/queryPrefix(of:)``). At most 1
    /// KiB.
    package var queryPrefix: String?
    /// The prefix of a text that is remembered; nil uses what the model's name suggests (``Settings/passagePrefix(of:)``). At most 1 KiB.
    package var passagePrefix: String?
    /// The price of tokens; nil if unknown.
    package var price: PriceSettings?
    /// The maximum number of tokens in an answer unless the job says so itself: sent with the call, and reserved for by a money limit. Nil
    /// sends none if the provider's API allows that, and reserves for 4,096. 1 to 10 million.
    package var maxOutputTokens: Int?
    /// Limits for this model alone.
    package var limits = CallLimitSettings()

    /// All defaults: no fallbacks, no batch API, price unknown.
    package init() {}
}

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

/// `models.<provider/model>.price:` — US dollars per million tokens, each 0 to 1 million.
package struct PriceSettings: Equatable, Sendable {
    /// For input tokens. Default 0 if only another price is given.
    package var inputPerMTok: Double
    /// For output tokens. Default 0 if only another price is given.
    package var outputPerMTok: Double
    /// For input tokens read from the provider's prompt cache; nil uses the provider kind's usual share of the input price.
    package var cacheReadPerMTok: Double?
    /// For input tokens written to the provider's prompt cache; nil uses the provider kind's usual share of the input price.
    package var cacheWritePerMTok: Double?

    /// Prices are in US dollars per million tokens.
    package init(inputPerMTok: Double, outputPerMTok: Double, cacheReadPerMTok: Double? = nil, cacheWritePerMTok: Double? = nil) {
        self.inputPerMTok = inputPerMTok
        self.outputPerMTok = outputPerMTok
        self.cacheReadPerMTok = cacheReadPerMTok
        self.cacheWritePerMTok = cacheWritePerMTok
    }
}

/// The parts of the price as keys of their own: setting one makes the price known, and the others 0 (or the input price) until they are
/// set too.
extension ModelSettings {
    var inputPerMTok: Double? {
        get { price?.inputPerMTok }
        set { setPrice { $0.inputPerMTok = newValue ?? 0 } }
    }

    var outputPerMTok: Double? {
        get { price?.outputPerMTok }
        set { setPrice { $0.outputPerMTok = newValue ?? 0 } }
    }

    var cacheReadPerMTok: Double? {
        get { price?.cacheReadPerMTok }
        set { setPrice { $0.cacheReadPerMTok = newValue } }
    }

    var cacheWritePerMTok: Double? {
        get { price?.cacheWritePerMTok }
        set { setPrice { $0.cacheWritePerMTok = newValue } }
    }

    private mutating func setPrice(_ change: (inout PriceSettings) -> Void) {
        let unknown = PriceSettings(inputPerMTok: 0, outputPerMTok: 0)
        var changed = price ?? unknown
        change(&changed)
        price = changed == unknown && price == nil ? nil : changed
    }
}
