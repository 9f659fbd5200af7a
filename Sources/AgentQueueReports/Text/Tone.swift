/// How a word is meant, so that each program can show it in its own colours.
package enum Tone: Sendable {
    case good
    case bad
    case warning
    /// Something is under way.
    case active
    /// Of less interest than the rest.
    case muted
}
