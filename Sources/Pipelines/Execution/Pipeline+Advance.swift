import JobModel

extension Pipeline {
    /// What a run does next, now that its ends are known (``RunSnapshot/ends``). Pure: the same run and outputs, the same decision.
    /// - Parameter outputs: the texts that completed calls were answered with, by path, as far as they are known.
    public func advance(_ run: RunSnapshot, outputs: [String: String]) -> Advance { .decided(Decision()) }

    /// What a run that failed or was cancelled does when it is retried: only what failed, and what depended on it.
    public func retry(_ run: RunSnapshot, outputs: [String: String]) -> Advance { .decided(Decision()) }
}
