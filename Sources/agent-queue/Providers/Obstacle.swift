/// Why a target is not called now; a sentence without a full stop.
enum Obstacle: Equatable {
    /// It cannot be called with this configuration; with another it may be.
    case unavailable(String)
    /// All processes leave it alone for a while.
    case paused(String)
    /// One of its limits is used up for now.
    case full(String)

    var sentence: String {
        switch self {
        case .unavailable(let sentence), .paused(let sentence), .full(let sentence): sentence
        }
    }
}
