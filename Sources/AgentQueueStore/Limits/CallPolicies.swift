import AgentQueueModel

/// What the configuration says about calling providers. What it limits is counted in the database, for all processes.
package struct CallPolicies: Sendable {
    /// By provider's name (`openai`) or target (`openai/gpt-5`); both hold for a call. What is in neither is not limited.
    package var limits: [String: CallLimits]
    /// When a provider that keeps failing is left alone.
    package var breaker: CircuitBreaker.Policy
    /// By the lane's target, `provider/model`. A target not in it is its own only route.
    package var routes: [String: Route]
    /// What a call is expected to use, and what it may cost at worst. Called in the store's transactions: it must be quick.
    package var estimate: @Sendable (_ target: Target, _ kind: JobKind, _ body: String) -> CallEstimate

    /// Makes policies; no limits, unless told.
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

    /// The estimate, with nothing in it that cannot be: the caller's arithmetic may have no price to go by.
    func expected(_ target: Target, _ kind: JobKind, _ body: String) -> CallEstimate {
        let estimate = estimate(target, kind, body)
        // A request may ask for any number of tokens; no sum of these overflows.
        return CallEstimate(
            inputTokens: min(max(0, estimate.inputTokens), Self.maxTokens),
            outputTokens: min(max(0, estimate.outputTokens), Self.maxTokens),
            worstCost: estimate.worstCost.isFinite ? max(0, estimate.worstCost) : 0)
    }

    private static let maxTokens = 1 << 30

    /// Where a lane's jobs may go. No other model's vectors stand in for those that are remembered: they could not be compared.
    func route(of target: Target, _ kind: JobKind) -> Route {
        kind == .memorize ? Route(targets: [target]) : routes[target.description] ?? Route(targets: [target])
    }

    /// Whether a lane's jobs can be called for by any of these providers.
    func hasRoute(of target: String, provider: String, kind: String, among providers: Set<String>) -> Bool {
        guard kind != JobKind.memorize.rawValue, let route = routes[target] else { return providers.contains(provider) }
        return !route.targets.isEmpty
    }

    func limits(of name: String) -> CallLimits { limits[name] ?? CallLimits() }
}

/// The most that a provider or a target is asked, by all processes together. Nil is no limit.
package struct CallLimits: Sendable, Equatable {
    /// Calls begun in a minute.
    package var requestsPerMinute: Int?
    /// Tokens in a minute, in and out together.
    package var tokensPerMinute: Int?
    /// Tokens in a minute, in.
    package var inputTokensPerMinute: Int?
    /// Tokens in a minute, out.
    package var outputTokensPerMinute: Int?
    /// Calls under way at once.
    package var concurrency: Int?
    /// US dollars in a day (UTC); 0 lets only calls through that cost nothing.
    package var usdPerDay: Double?

    /// Makes limits; none, unless told.
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

/// What a call is expected to use before it is made.
package struct CallEstimate: Sendable, Equatable {
    /// Tokens in, for the token limits.
    package var inputTokens: Int
    /// Tokens out, for the token limits.
    package var outputTokens: Int
    /// 1; 0 for a job that shares another's call.
    package var requests = 1
    /// What it may cost at worst, in US dollars, for the limits on money.
    package var worstCost: Double

    /// Makes an estimate; of a call that uses and costs nothing, unless told.
    package init(inputTokens: Int = 0, outputTokens: Int = 0, worstCost: Double = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.worstCost = worstCost
    }

    /// Four bytes of the request to a token in, 1,024 tokens out, and no price.
    package init(body: String) { self.init(inputTokens: body.utf8.count / 4, outputTokens: 1_024) }
}

/// What a lane's jobs are sent to: its own target, and those that serve in its place.
package struct Route: Sendable, Equatable {
    /// In the order in which they are tried; only those whose provider this worker can call. The lane's own target may be missing.
    package var targets: [Target]
    /// How long to wait for a target that is only busy before the next is asked, in ms; nil waits as long as it takes. One that
    /// fails, or refuses the key, is not waited for.
    package var fallbackAfter: Int64?

    /// Makes a route.
    package init(targets: [Target], fallbackAfter: Int64? = nil) {
        self.targets = targets
        self.fallbackAfter = fallbackAfter
    }
}
