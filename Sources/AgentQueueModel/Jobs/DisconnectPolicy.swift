/// What becomes of a job whose last client left.
package enum DisconnectPolicy: String, CaseIterable, Sendable {
    /// A streamed call is cancelled after a while, any other finishes for the client's retry; a job that has not begun expires.
    case auto
    /// The job goes on.
    case finish
    /// The job is cancelled.
    case cancel
}
