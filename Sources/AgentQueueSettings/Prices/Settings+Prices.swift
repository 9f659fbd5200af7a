import AgentQueueModel

extension Settings {
    /// What calls cost: the prices of the configuration, else the list price of the vendor whose API a provider has. Servers on this
    /// machine cost nothing unless they have a price; Claude Code reports what it costs.
    package var prices: ModelPrices {
        ModelPrices(ownPrices, providers: providers.mapValues(Self.knowledge))
    }

    private static func knowledge(of provider: ProviderSettings) -> ModelPrices.Provider {
        guard let host = provider.baseURL.flatMap(URLHost.of) else { return provider.kind == .claudeCode ? .reported : .unknown }
        if URLHost.isLoopback(host) { return .free }
        // The list is only read when a price is asked for: most commands need none.
        let cachesForAnHour = provider.kind == .anthropic && provider.promptCache == .oneHour
        return .listed { model in
            guard var price = PriceList.shipped.vendor(at: host)?.price(of: model) else { return nil }
            if cachesForAnHour {
                price.rates.cacheWrite = price.rates.input * hourWrite
                if let long = price.long?.rates { price.long?.rates.cacheWrite = long.input * hourWrite }
            }
            return price
        }
    }

    private var ownPrices: [String: ModelPrice] {
        var prices: [String: ModelPrice] = [:]
        for (name, model) in models {
            guard let price = model.price else { continue }
            let provider = Target(name).flatMap { providers[$0.provider] }
            let input = price.inputPerMTok
            let isAnthropic = provider?.kind == .anthropic || provider?.kind == .claudeCode
            let write = provider?.promptCache == .oneHour ? hourWrite : 1.25
            prices[name] = ModelPrice(
                input: input, output: price.outputPerMTok, cacheRead: price.cacheReadPerMTok ?? (isAnthropic ? input * 0.1 : input),
                cacheWrite: price.cacheWritePerMTok ?? (isAnthropic ? input * write : input))
        }
        return prices
    }

    /// What to add to the configuration so that a target has a price.
    package static func priceLine(of target: String) -> String {
        "models: { \(target): { price: { input_per_mtok: X, output_per_mtok: Y } } }"
    }
}

/// What Anthropic charges for writing to its prompt cache for an hour, as a multiple of the input price. For five minutes it is 1.25, and
/// reading costs a tenth.
private let hourWrite = 2.0
