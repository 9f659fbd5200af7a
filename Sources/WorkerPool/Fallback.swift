import JobModel
import QueueStore

/// Who may be asked in place of a target that failed.
enum Fallback {
    /// The targets of a route behind the one that failed, in order; none where the failure is the request's, or where waiting
    /// for the target is shorter than the route allows.
    /// - Parameters:
    ///   - failed: the target that was asked.
    ///   - wait: how long the job would have to wait for it, in ms.
    static func candidates(of route: Route, after failed: Target, _ failure: FailureClass, wait: Int64) -> [Target] {
        guard failure.allowsFallback, let place = route.targets.firstIndex(of: failed) else { return [] }
        switch failure {
        case .rateLimited: if wait <= route.fallbackAfter ?? .max { return [] }
        case .overloaded: if let patience = route.fallbackAfter, wait <= patience { return [] }
        default: break
        }
        return Array(route.targets[(place + 1)...])
    }
}
