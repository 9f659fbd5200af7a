/// Why a command cannot do what it was asked: one sentence for the person, and the exit code for the script.
struct CommandFailure: Error {
    let status: ExitStatus
    /// What is wrong, where, and what to do; without the program's name and a full stop.
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}
