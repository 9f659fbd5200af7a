import JobModel

/// What makes one output of a step: a call, or an ensemble of them. Steps with foreach have one for each item.
struct Unit {
    /// How it stands, by what is on record.
    enum State {
        case waiting
        /// All its calls have ended, not all of them badly.
        case ended
        case skipped
        case failed(String)
    }

    /// Its path: `plan`, `code[3]`.
    var path: String
    var state: State
    /// What its ensemble calls; empty for a single call.
    var members: [Member] = []

    /// A call of an ensemble.
    struct Member {
        /// Its path: `title~2`.
        var path: String
        /// `provider/model`; nil is the run's.
        var model: String?
        /// Tells it apart from others to the same target, from 1.
        var sample: Int?
    }
}
