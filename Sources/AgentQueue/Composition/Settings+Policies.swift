import JobModel
import ModelCalls
import QueueStore
import Resilience
import Settings

extension Settings {
    /// What providers allow, when one is left alone, and who stands in for whom.
    /// - Parameter available: the providers that can be called here.
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
            CallEstimate(
                kind: kind, body: body, bound: bounds[target.description], price: prices[target.description],
                isThroughProgram: programs.contains(target.provider))
        }
        return policies
    }

    /// What tokens cost, by target.
    var prices: [String: ModelCalls.ModelPrice] {
        var prices: [String: ModelCalls.ModelPrice] = [:]
        for (name, model) in models {
            guard let price = model.price else { continue }
            let provider = Target(name).flatMap { providers[$0.provider] }
            let input = price.inputPerMTok
            // Anthropic's shares of the input price: a tenth to read, 1.25 times to write for five minutes, twice for an hour.
            let isAnthropic = provider?.kind == .anthropic || provider?.kind == .claudeCode
            let write = provider?.promptCache == .oneHour ? 2 : 1.25
            prices[name] = ModelCalls.ModelPrice(
                input: input, output: price.outputPerMTok, cacheRead: price.cacheReadPerMTok ?? (isAnthropic ? input * 0.1 : input),
                cacheWrite: price.cacheWritePerMTok ?? (isAnthropic ? input * write : input))
        }
        return prices
    }
}

extension CallLimits {
    init(_ settings: CallLimitSettings, concurrency: Int?) {
        self.init(
            requestsPerMinute: settings.rpm, tokensPerMinute: settings.tpm, inputTokensPerMinute: settings.itpm,
            outputTokensPerMinute: settings.otpm, concurrency: concurrency, usdPerDay: settings.usdPerDay)
    }
}
