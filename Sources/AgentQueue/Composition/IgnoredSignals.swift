import Glibc

/// Signals that the program which started this process told it to ignore.
package enum IgnoredSignals {
    /// Whether a signal is ignored, as SIGHUP is after `nohup`. Ask before it is trapped.
    package static func contains(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
