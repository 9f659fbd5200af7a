/// Leaves a provider alone that keeps failing, and asks it with one call whether it works again.
///
/// A state machine without a clock: times are wall clock, ms, and passed in. Source: M. Nygard, "Release It!", 2nd ed., 5.2;
/// the failure rate over a sliding window as in resilience4j.
package struct CircuitBreaker: Sendable, Equatable {
    /// When it opens, and for how long.
    package struct Policy: Sendable, Equatable {
        /// The share of failed calls within the window that opens it, 0 to 1.
        package var failureRate: Double
        /// How far back calls count, in ms.
        package var window: Int64
        /// Failures in a row that open it.
        package var consecutive: Int
        /// How long it stays open before its probe, in ms.
        package var openFor: Int64

        /// The fewest calls in the window that say something about a rate.
        package static let fewestCalls = 10

        /// The defaults of the configuration.
        package init(failureRate: Double = 0.5, window: Int64 = 60_000, consecutive: Int = 5, openFor: Int64 = 30_000) {
            self.failureRate = failureRate
            self.window = window
            self.consecutive = consecutive
            self.openFor = openFor
        }
    }

    /// Where it stands.
    package enum State: Sendable, Equatable {
        /// Calls go through.
        case closed
        /// None does before that time.
        case open(until: Int64)
        /// One call is under way, under this token; all depends on it.
        case halfOpen(probe: Int64)
    }

    /// Whether calls may begin.
    package enum Admission: Sendable, Equatable {
        /// As many as there are.
        case all
        /// One, which must be announced by ``beginProbe(_:)``.
        case probe
        /// None before that time; nil: none until the probe has ended.
        case none(until: Int64?)
    }

    /// Where it stands.
    public private(set) var state = State.closed
    /// Failures in a row.
    public private(set) var consecutive = 0
    /// The calls of a sixth of the window each, oldest first.
    public private(set) var slots: [Slot] = []

    /// What happened in a sixth of the window.
    package struct Slot: Sendable, Equatable {
        /// Its number: time divided by its length.
        package var number: Int64
        /// Calls that ended.
        package var calls: Int
        /// Those that failed.
        package var failures: Int

        /// Makes a slot.
        package init(number: Int64, calls: Int, failures: Int) {
            self.number = number
            self.calls = calls
            self.failures = failures
        }
    }

    /// A closed one that has seen nothing.
    package init() {}

    /// One as it was kept.
    package init(state: State, consecutive: Int, slots: [Slot]) {
        self.state = state
        self.consecutive = consecutive
        self.slots = slots
    }

    /// Whether calls may begin now.
    package func admission(now: Int64) -> Admission {
        switch state {
        case .closed: .all
        case .open(let time): now < time ? .none(until: time) : .probe
        case .halfOpen: .none(until: nil)
        }
    }

    /// The one call that an open breaker admits begins.
    package mutating func beginProbe(_ token: Int64) {
        if case .open = state { state = .halfOpen(probe: token) }
    }

    /// The probe ended without an answer to the question: it never began, was cancelled, or its worker died. The next call
    /// is the probe.
    package mutating func abandonProbe(_ token: Int64, now: Int64) {
        if state == .halfOpen(probe: token) { state = .open(until: now) }
    }

    /// A call has ended.
    /// - Parameters:
    ///   - token: the call's; while half open, only the probe's counts.
    ///   - succeeded: whether the provider works, whatever it thought of the request.
    package mutating func record(_ token: Int64, succeeded: Bool, now: Int64, _ policy: Policy) {
        switch state {
        case .open:
            // A call from before it opened: it says nothing new.
            return
        case .halfOpen(let probe):
            guard probe == token else { return }
            self = CircuitBreaker()
            if !succeeded { open(now, policy) }
        case .closed:
            count(succeeded, now, policy)
            consecutive = succeeded ? 0 : consecutive + 1
            let calls = slots.reduce(0) { $0 + $1.calls }
            let failures = slots.reduce(0) { $0 + $1.failures }
            guard !succeeded else { return }
            if consecutive >= policy.consecutive
                || (calls >= Policy.fewestCalls && Double(failures) >= policy.failureRate * Double(calls))
            {
                open(now, policy)
            }
        }
    }

    /// Closes it: a person says that it works, or a check has shown it.
    package mutating func reset() { self = CircuitBreaker() }

    private mutating func open(_ now: Int64, _ policy: Policy) {
        state = .open(until: now + policy.openFor)
        consecutive = 0
        slots = []
    }

    private static let slotsInWindow: Int64 = 6

    private mutating func count(_ succeeded: Bool, _ now: Int64, _ policy: Policy) {
        let number = now / max(1, policy.window / Self.slotsInWindow)
        slots.removeAll { $0.number <= number - Self.slotsInWindow || $0.number > number }
        if slots.last?.number != number { slots.append(Slot(number: number, calls: 0, failures: 0)) }
        slots[slots.count - 1].calls += 1
        if !succeeded { slots[slots.count - 1].failures += 1 }
    }
}
