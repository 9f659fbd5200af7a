import AgentQueueModel

/// The configured policies for calling providers. The use that they limit is counted in the database, across all processes.
package struct CallPolicies: Sendable {
    /// Limits by provider (`openai`) and by target (`openai/gpt-5`). Both apply to a call; whatever is not listed is not limited.
    package var limits: [String: CallLimits]
    /// When to stop calling a provider that keeps failing.
    package var breaker: CircuitBreaker.Policy
    /// Routes by the lane's target (`provider/model`). A target that is not listed has no fallbacks.
    package var routes: [String: Route]
    /// Estimates a call's use and its worst cost. It is called inside the store's transactions, so it must be fast.
    package var estimate: @Sendable (_ target: Target, _ kind: JobKind, _ body: String) -> CallEstimate

    /// Creates policies; the defaults set no limits.
    package init(
        limits: [String: CallLimits] = [:], breaker: CircuitBreaker.Policy = CircuitBreaker.Policy(), routes: [String: Route] = [:],
        estimate: @escaping @Sendable (_ target: Target, _ kind: JobKind, _ body: String) -> CallEstimate = { _, _, body in
            CallEstimate(body: body)
        }
    ) {
        self.limits = limits
        self.breaker = breaker
        self.routes = routes
        self.estimate = estimate
    }

    /// Returns the estimate without impossible values: the caller's arithmetic may lack a price.
    func expected(_ target: Target, _ kind: JobKind, _ body: String) -> CallEstimate {
        let estimate = estimate(target, kind, body)
        // A request may ask for any number of tokens; clamp it so that sums do not overflow.
        var expected = CallEstimate(
            inputTokens: min(max(0, estimate.inputTokens), Self.maxTokens),
            outputTokens: min(max(0, estimate.outputTokens), Self.maxTokens),
            worstCost: estimate.worstCost.isFinite ? max(0, estimate.worstCost) : 0)
        expected.isPriced = estimate.isPriced && estimate.worstCost.isFinite
        expected.canBeLimited = estimate.canBeLimited
        return expected
    }

    private static let maxTokens = 1 << 30

    /// Returns where a lane's jobs may go. Memories have no fallback, because vectors of different models cannot be compared.
    func route(of target: Target, _ kind: JobKind) -> Route {
        kind == .memorize ? Route(targets: [target]) : routes[target.description] ?? Route(targets: [target])
    }

    /// Returns whether any of these providers can be called for a lane's jobs.
    func hasRoute(of target: String, provider: String, kind: String, among providers: Set<String>) -> Bool {
        guard kind != JobKind.memorize.rawValue, let route = routes[target] else { return providers.contains(provider) }
        return !route.targets.isEmpty
    }

    func limits(of name: String) -> CallLimits { limits[name] ?? CallLimits() }
}

/// Limits on a provider or a target, for all processes together. Nil means no limit.
package struct CallLimits: Sendable, Equatable {
    /// How many calls may begin in a minute.
    package var requestsPerMinute: Int?
    /// Input and output tokens in a minute, together.
    package var tokensPerMinute: Int?
    /// Input tokens in a minute.
    package var inputTokensPerMinute: Int?
    /// Output tokens in a minute.
    package var outputTokensPerMinute: Int?
    /// How many calls may be under way at once.
    package var concurrency: Int?
    /// US dollars in a day (UTC); 0 admits only calls that cost nothing.
    package var usdPerDay: Double?

    /// Creates limits; the default is none.
    package init(
        requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, inputTokensPerMinute: Int? = nil, outputTokensPerMinute: Int? = nil,
        concurrency: Int? = nil, usdPerDay: Double? = nil
    ) {
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
        self.inputTokensPerMinute = inputTokensPerMinute
        self.outputTokensPerMinute = outputTokensPerMinute
        self.concurrency = concurrency
        self.usdPerDay = usdPerDay
    }
}

/// What a call is expected to use, before it is made.
package struct CallEstimate: Sendable, Equatable {
    /// Input tokens, for the token limits.
    package var inputTokens: Int
    /// Output tokens, for the token limits.
    package var outputTokens: Int
    /// 1, or 0 for a job that shares another job's call.
    package var requests = 1
    /// The worst cost in US dollars, for the limits on money; 0 if the price is unknown.
    package var worstCost: Double
    /// Whether the price is known.
    package var isPriced = true
    /// Whether limits on money can be kept: the price is known, or the answer will say what it cost.
    package var canBeLimited = true

    /// The worst cost; nil if the price is unknown.
    package var knownCost: Double? { isPriced ? worstCost : nil }

    /// Creates an estimate; the default uses nothing and costs nothing.
    package init(inputTokens: Int = 0, outputTokens: Int = 0, worstCost: Double = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.worstCost = worstCost
    }

    /// Estimates one input token per four bytes of the request, 1,024 output tokens, and no cost.
    package init(body: String) { self.init(inputTokens: body.utf8.count / 4, outputTokens: 1_024) }
}

/// The targets that a lane's jobs may be sent to: its own target and the fallbacks.
package struct Route: Sendable, Equatable {
    /// In the order in which they are tried. Contains only targets whose provider this worker can call, so the lane's own target may be
    /// missing.
    package var targets: [Target]
    /// How long to wait for a busy target before trying the next, in milliseconds; nil waits for as long as it takes. There is no wait for
    /// a target that is failing or refuses the key.
    package var fallbackAfter: Int64?

    package init(targets: [Target], fallbackAfter: Int64? = nil) {
        self.targets = targets
        self.fallbackAfter = fallbackAfter
    }
}
