/// The meaning of a status word, which each program shows in its own colours.
package enum Tone: Sendable {
    case good
    case bad
    case warning
    /// Something is running.
    case active
    /// Of little interest.
    case muted
}
