extension RunSnapshot {
    /// What is written of a run that has ended, when calls of it end later: that they did.
    public func recordingEnds(and ended: StepEnd? = nil) -> RunAdvance {
        var advance = RunAdvance(run: id, version: version)
        advance.told = ends + (ended.map { [$0] } ?? [])
        return advance
    }

    /// What is written of a run that cannot go on.
    /// - Parameter reason: why, in a sentence.
    public func giving(up reason: String) -> RunAdvance {
        var advance = recordingEnds()
        advance.end = .failed(reason)
        return advance
    }
}
