import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Glibc

extension Settings {
    /// The limits, circuit breakers and fallbacks of providers.
    /// - Parameter available: the names of the providers that can be called here.
    func callPolicies(available: Set<String>) -> CallPolicies {
        var policies = CallPolicies()
        policies.breaker = CircuitBreaker.Policy(
            failureRate: breaker.failureRate, window: breaker.window.milliseconds, consecutive: breaker.consecutive,
            openFor: breaker.openFor.milliseconds)
        for (name, provider) in providers {
            let limits = CallLimits(provider.limits, concurrency: provider.maxConcurrency)
            if limits != CallLimits() { policies.limits[name] = limits }
        }
        for (name, model) in models {
            let limits = CallLimits(model.limits, concurrency: model.limits.concurrency)
            if limits != CallLimits() { policies.limits[name] = limits }
            let targets = ([name] + model.fallbacks).compactMap { Target($0) }.filter { available.contains($0.provider) }
            if !model.fallbacks.isEmpty, !targets.isEmpty {
                policies.routes[name] = Route(targets: targets, fallbackAfter: model.fallbackAfter?.milliseconds)
            }
        }
        let prices = prices
        let bounds = models.compactMapValues(\.maxOutputTokens)
        let programs = Set(providers.filter { $0.value.kind == .claudeCode }.keys)
        policies.estimate = { target, kind, body in
            var estimate = CallEstimate(
                kind: kind, body: body, bound: bounds[target.description], price: prices.price(of: target),
                isThroughProgram: programs.contains(target.provider))
            if !estimate.isPriced { estimate.canBeLimited = prices.canLimit(target) }
            return estimate
        }
        return policies
    }
}

extension CallLimits {
    init(_ settings: CallLimitSettings, concurrency: Int?) {
        self.init(
            requestsPerMinute: settings.rpm, tokensPerMinute: settings.tpm, inputTokensPerMinute: settings.itpm,
            outputTokensPerMinute: settings.otpm, concurrency: concurrency, usdPerDay: settings.usdPerDay)
    }
}

extension Settings {
    /// The most that the call of a job may cost, in US dollars, as it would be reserved; half of that through the provider's batch API.
    /// Nil if the price of its target is not known. Make the function once for many jobs.
    package func worstCosts() -> @Sendable (_ job: NewJob) -> Double? {
        let estimate = callPolicies(available: []).estimate
        let prices = prices
        return { job in
            guard let price = prices.price(of: job.target) else { return nil }
            guard let share = job.usesBatchAPI ? price.batchShare(usual: batchPriceShare) : 1 else { return nil }
            return estimate(job.target, job.kind, job.body).worstCost * share
        }
    }
}

/// The price of an answer in a batch as a share of the usual price: the same at OpenAI and Anthropic.
private let batchPriceShare = 0.5

extension Settings {
    /// Why the money that a job may cost cannot be limited, as a sentence: it has a budget, or its provider or target a limit of dollars a
    /// day, and the price of its target is unknown. Nil if nothing is to be limited, or it can be.
    /// - Parameter own: the names of the embedding program's providers, whose answers are taken to say what they cost.
    func unlimitedCosts(own: Set<String>) -> @Sendable (_ target: Target, _ budget: Double?) -> String? {
        let prices = prices
        let providerLimits = Set(providers.filter { $0.value.limits.usdPerDay != nil && !own.contains($0.key) }.keys)
        let modelLimits = Set(models.filter { $0.value.limits.usdPerDay != nil }.keys)
        return { target, budget in
            let limit: String
            if budget != nil {
                limit = "a budget"
            } else if providerLimits.contains(target.provider) {
                limit = "the limit usd_per_day of provider '\(target.provider)'"
            } else if !modelLimits.isEmpty, modelLimits.contains(target.description) {
                limit = "its limit usd_per_day"
            } else {
                return nil
            }
            guard !own.contains(target.provider), !prices.canLimit(target) else { return nil }
            let line = Settings.priceLine(of: target.description)
            return "the price of \(target) is unknown, so \(limit) cannot be kept; add '\(line)' to the configuration"
        }
    }
}

extension CallEstimate {
    /// Estimates what a call will use from its stored request. The outermost keys of the request are sorted, so that the bound of the answer
    /// stands before the messages and is found without reading them.
    ///
    /// Input tokens are estimated as a quarter of the bytes, as in English text. The cost must not be underestimated: for it, every byte
    /// counts as a token, which no tokenizer exceeds. Images count by their number.
    /// - Parameters:
    ///   - bound: the bound of the answer if the request has none; nil for no bound.
    ///   - price: nil if unknown.
    ///   - isThroughProgram: whether Claude Code makes the call, which adds text of its own and has a larger bound.
    init(kind: JobKind, body: String, bound: Int?, price: ModelPrice?, isThroughProgram: Bool = false) {
        let recalled = kind == .generate && Self.recalls(body) ? MemoryUse.mostBytes : 0
        let images = EmbeddedImages(in: body)
        let bytes = body.utf8.count - images.bytes + recalled + (isThroughProgram ? Self.programBytes : 0)
        let said = Self.answerBound(in: body) ?? bound
        let written = kind == .generate ? said ?? (isThroughProgram ? Self.programBound : Self.assumedBound) : 0
        let worst = price?.worstCost(inputTokens: bytes + images.worstTokens, outputTokens: written)
        self.init(
            inputTokens: bytes / 4 + images.expectedTokens + 1, outputTokens: kind == .generate ? said ?? Self.usualAnswer : 0,
            worstCost: worst ?? 0)
        isPriced = worst != nil
    }

    /// The assumed maximum of an answer, in tokens, if neither its job nor the configuration has one.
    static let assumedBound = 4_096
    /// Claude Code's own bound of an answer, in tokens, and what it adds to a request, in bytes: measured with 2.1.330.
    static let programBound = 32_000
    static let programBytes = 2_500
    /// The assumed tokens of an unbounded answer, for limits of tokens a minute. The actual number replaces it when the answer arrives.
    static let usualAnswer = 512

    /// Whether memories are inserted into a request before it is sent. A text that contains this string gives a false positive, which only
    /// makes the estimate more cautious.
    static func recalls(_ body: String) -> Bool { body.withCString { strstr($0, "\"recall\":{") != nil } }

    /// `max_tokens` or `max_completion_tokens` of a stored body; nil if it has neither.
    static func answerBound(in body: String) -> Int? {
        let head = body.utf8.prefix { _ in true }
        let end = head.firstRange(of: "\"messages\":".utf8)?.lowerBound ?? head.endIndex
        var bound: Int?
        for key in ["\"max_completion_tokens\":", "\"max_tokens\":"] {
            guard let range = head[..<end].ranges(of: key.utf8).last else { continue }
            let digits = head[range.upperBound...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            bound = Int(String(decoding: digits, as: UTF8.self)) ?? bound
        }
        return bound
    }
}
