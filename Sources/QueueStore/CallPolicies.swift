import JobModel
import Resilience

/// What the configuration says about calling providers. What it limits is counted in the database, for all processes.
public struct CallPolicies: Sendable {
    /// By provider's name (`openai`) or target (`openai/gpt-5`); both hold for a call. What is in neither is not limited.
    public var limits: [String: CallLimits]
    /// When a provider that keeps failing is left alone.
    public var breaker: CircuitBreaker.Policy
    /// By the lane's target, `provider/model`. A target not in it is its own only route.
    public var routes: [String: Route]
    /// What a call is expected to use, and what it may cost at worst. Called in the store's transactions: it must be quick.
    public var estimate: @Sendable (_ target: Target, _ kind: JobKind, _ body: String) -> CallEstimate

    /// Makes policies; no limits, unless told.
    public init(
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
            inputTokens: min(max(0, estimate.inputTokens), Self.mostTokens),
            outputTokens: min(max(0, estimate.outputTokens), Self.mostTokens),
            worstCost: estimate.worstCost.isFinite ? max(0, estimate.worstCost) : 0)
    }

    private static let mostTokens = 1 << 30

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
