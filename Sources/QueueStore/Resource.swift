import JobModel
import Resilience

/// What all processes know of a provider or a target: a row of `resources`, held in memory by one transaction.
struct Resource: Equatable {
    /// Not called until then.
    struct Pause: Equatable {
        var until: Int64
        var failure: FailureClass
        var reason: String
    }

    /// One call at a time, until one succeeds that began after a token was given out.
    struct Trial: Equatable {
        var after: Int64
        /// Calls under way that began after it.
        var running = 0
    }

    /// Its latest failure.
    struct Fault: Equatable {
        var failure: FailureClass
        var message: String
        var at: Int64
    }

    /// `provider` or `provider/model`.
    let name: String
    /// Its rows in `reservations`.
    var running = 0
    /// Since when a claim waits for something here to end; nil if none does.
    var waitingSince: Int64?
    var pause: Pause?
    /// In a row, for a refused key or an empty account.
    var pauses = 0
    /// In a row, for a rate limit that named no time.
    var parks = 0
    var trial: Trial?
    /// By ``Rate``.
    private var rates: [4 of RateLimit?] = .init(repeating: nil)
    /// The latest minute in which the provider took calls, how many, and how many in the minute before.
    var minute: (number: Int64, calls: Int, before: Int) = (0, 0, 0)
    var breaker = CircuitBreaker()
    /// UTC days since 1970.
    var day: Int64 = 0
    /// US dollars, on that day.
    var spent: Double = 0
    /// US dollars set aside for calls under way.
    var reserved: Double = 0
    var fault: Fault?

    init(name: String) { self.name = name }

    subscript(rate: Rate) -> RateLimit? {
        get { rates[rate.rawValue] }
        set { rates[rate.rawValue] = newValue }
    }

    static func == (one: Resource, other: Resource) -> Bool {
        one.name == other.name && one.running == other.running && one.waitingSince == other.waitingSince && one.pause == other.pause
            && one.pauses == other.pauses && one.parks == other.parks && one.trial == other.trial && one.minute == other.minute
            && Rate.allCases.allSatisfy { one[$0] == other[$0] } && one.breaker == other.breaker && one.day == other.day
            && one.spent == other.spent && one.reserved == other.reserved && one.fault == other.fault
    }
}
