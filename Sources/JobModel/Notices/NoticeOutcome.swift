/// What came of an attempt to tell.
public enum NoticeOutcome: Sendable, Equatable {
    /// It was told.
    case delivered
    /// It was not, and may be another time.
    /// - Parameter wait: how long the receiver asks to be left alone, in ms; nil where it does not say.
    case failed(String, wait: Int64? = nil)
    /// It was not, and the receiver wants to hear no more of it.
    case refused(String)
    /// The attempt was broken off, and does not count: this process stops.
    case broken
}
