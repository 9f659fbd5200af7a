/// What the calls of a model cost.
package struct ModelPrice: Sendable, Equatable {
    /// The prices of tokens, in US dollars per million.
    package struct Rates: Sendable, Equatable {
        /// Of input tokens that the provider's prompt cache has no part in.
        package var input: Double
        /// Of output tokens.
        package var output: Double
        /// Of input tokens read from the prompt cache.
        package var cacheRead: Double
        /// Of input tokens written to the prompt cache.
        package var cacheWrite: Double

        /// By default, cached tokens cost as much as other input.
        package init(input: Double, output: Double, cacheRead: Double? = nil, cacheWrite: Double? = nil) {
            self.input = input
            self.output = output
            self.cacheRead = cacheRead ?? input
            self.cacheWrite = cacheWrite ?? input
        }

        func cost(of usage: Usage) -> Double {
            let plain = max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens)
            return
                (Double(plain) * input + Double(usage.cacheReadTokens) * cacheRead + Double(usage.cacheWriteTokens) * cacheWrite
                + Double(usage.outputTokens) * output) / 1_000_000
        }

        /// Writing to a prompt cache costs more than plain input.
        func worst(inputTokens: Int, outputTokens: Int) -> Double {
            (Double(inputTokens) * max(input, cacheWrite) + Double(outputTokens) * output) / 1_000_000
        }
    }

    /// The prices of calls with long prompts.
    package struct LongPrompt: Sendable, Equatable {
        /// The most input tokens of a call that has the usual prices.
        package var above: Int
        /// They are the prices of all tokens of a longer call.
        package var rates: Rates

        package init(above: Int, rates: Rates) {
            self.above = above
            self.rates = rates
        }
    }

    /// What calls in the provider's batch API cost.
    package enum Batch: Sendable, Equatable {
        /// The provider's usual share of the price.
        case usualShare
        /// A share of the price.
        case share(Double)
        /// That is not known.
        case unknown
    }

    package var rates: Rates
    /// Nil if all calls have the same prices.
    package var long: LongPrompt?
    package var batch = Batch.usualShare

    package init(_ rates: Rates, long: LongPrompt? = nil, batch: Batch = .usualShare) {
        self.rates = rates
        self.long = long
        self.batch = batch
    }

    /// A price without special prices for long prompts. By default, cached tokens cost as much as other input.
    package init(input: Double, output: Double, cacheRead: Double? = nil, cacheWrite: Double? = nil) {
        self.init(Rates(input: input, output: output, cacheRead: cacheRead, cacheWrite: cacheWrite))
    }

    /// The price of what costs nothing.
    package static let free = ModelPrice(input: 0, output: 0)

    /// The cost of an answer in US dollars.
    package func cost(of usage: Usage) -> Double {
        guard let long, usage.inputTokens > long.above else { return rates.cost(of: usage) }
        return long.rates.cost(of: usage)
    }

    /// The most that an answer can cost, in US dollars.
    /// - Parameters:
    ///   - inputTokens: an upper bound.
    ///   - outputTokens: an upper bound.
    package func worstCost(inputTokens: Int, outputTokens: Int) -> Double {
        let usual = rates.worst(inputTokens: inputTokens, outputTokens: outputTokens)
        guard let long, inputTokens > long.above else { return usual }
        return max(usual, long.rates.worst(inputTokens: inputTokens, outputTokens: outputTokens))
    }

    /// The share of the price that a call in the provider's batch API costs; nil if unknown.
    /// - Parameter usual: the provider's usual share.
    package func batchShare(usual: Double) -> Double? {
        switch batch {
        case .usualShare: usual
        case .share(let share): share
        case .unknown: nil
        }
    }
}

/// What the calls of each target cost.
package struct ModelPrices: Sendable, ExpressibleByDictionaryLiteral {
    /// What is known of a provider's prices.
    package enum Provider: Sendable {
        /// Its calls cost nothing: it is a server on this machine.
        case free
        /// It has list prices, by the model's name.
        case listed(@Sendable (_ model: String) -> ModelPrice?)
        /// Nothing is known before a call, but its answers report what they cost.
        case reported
        /// Nothing is known.
        case unknown
    }

    private let targets: [String: ModelPrice]
    private let providers: [String: Provider]

    /// - Parameters:
    ///   - targets: prices of single targets, by name. They take precedence.
    ///   - providers: by name. A provider that is not named belongs to the embedding program and is taken to report its costs.
    package init(_ targets: [String: ModelPrice] = [:], providers: [String: Provider] = [:]) {
        self.targets = targets
        self.providers = providers
    }

    package init(dictionaryLiteral elements: (String, ModelPrice)...) {
        self.init(Dictionary(elements, uniquingKeysWith: { $1 }))
    }

    /// The price of a target; nil if unknown.
    package func price(of target: Target) -> ModelPrice? {
        if !targets.isEmpty, let price = targets[target.description] { return price }
        switch providers[target.provider] {
        case .free: return .free
        case .listed(let price): return price(target.model)
        case .reported, .unknown, nil: return nil
        }
    }

    /// Whether a limit on money can be kept for a target: its price is known, or its answers report their costs.
    package func canLimit(_ target: Target) -> Bool {
        switch providers[target.provider] {
        case .free, .reported, nil: true
        case .listed, .unknown: price(of: target) != nil
        }
    }
}
