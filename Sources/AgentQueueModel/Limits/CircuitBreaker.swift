/// Stops calls to a provider that keeps failing, and uses a single call to find out whether it works again.
///
/// A state machine without a clock: times are wall clock, ms, and passed in. Source: M. Nygard, "Release It!", 2nd ed., 5.2; the failure
/// rate over a sliding window as in resilience4j.
package struct CircuitBreaker: Sendable, Equatable {
    /// When the breaker opens, and for how long.
    package struct Policy: Sendable, Equatable {
        /// The share of failed calls within the window that opens the breaker, 0 to 1.
        package var failureRate: Double
        /// How far back calls count, in ms.
        package var window: Int64
        /// The number of consecutive failures that opens the breaker.
        package var consecutive: Int
        /// How long the breaker stays open before its probe, in ms.
        package var openFor: Int64

        /// The minimum number of calls in the window before the failure rate means anything.
        package static let fewestCalls = 10

        /// The defaults of the configuration.
        package init(failureRate: Double = 0.5, window: Int64 = 60_000, consecutive: Int = 5, openFor: Int64 = 30_000) {
            self.failureRate = failureRate
            self.window = window
            self.consecutive = consecutive
            self.openFor = openFor
        }
    }

    package enum State: Sendable, Equatable {
        /// Calls go through.
        case closed
        /// No call goes through before this time.
        case open(until: Int64)
        /// One call, with this token, is in progress; its result decides.
        case halfOpen(probe: Int64)
    }

    /// Whether calls may begin.
    package enum Admission: Sendable, Equatable {
        /// As many as there are.
        case all
        /// One, which must be announced with ``beginProbe(_:)``.
        case probe
        /// None before this time; nil means none until the probe has ended.
        case none(until: Int64?)
    }

    /// The current state.
    public private(set) var state = State.closed
    /// Consecutive failures.
    public private(set) var consecutive = 0
    /// The calls of the window in slots of a sixth each, oldest first.
    public private(set) var slots: [Slot] = []

    /// The calls in a sixth of the window.
    package struct Slot: Sendable, Equatable {
        /// Time divided by the length of a slot.
        package var number: Int64
        /// Calls that have ended.
        package var calls: Int
        /// Calls that failed.
        package var failures: Int

        package init(number: Int64, calls: Int, failures: Int) {
            self.number = number
            self.calls = calls
            self.failures = failures
        }
    }

    /// A closed breaker without history.
    package init() {}

    /// Restores a stored breaker.
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

    /// Starts the one call that an open breaker admits.
    package mutating func beginProbe(_ token: Int64) {
        if case .open = state { state = .halfOpen(probe: token) }
    }

    /// The probe ended without showing whether the provider works: it never began, was cancelled, or its worker died. The next call
    /// becomes the probe.
    package mutating func abandonProbe(_ token: Int64, now: Int64) {
        if state == .halfOpen(probe: token) { state = .open(until: now) }
    }

    /// Records the end of a call.
    /// - Parameters:
    ///   - token: the token of the call; while half open, only the probe's counts.
    ///   - succeeded: whether the provider works, regardless of whether it accepted the request.
    package mutating func record(_ token: Int64, succeeded: Bool, now: Int64, _ policy: Policy) {
        switch state {
        case .open:
            // This call began before the breaker opened, so it says nothing new.
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

    /// Closes the breaker, because a person says that the provider works or a check has shown it.
    package mutating func reset() { self = CircuitBreaker() }

    /// Moves the end of a pause to a clock that has gone back. The calls of the window are forgotten with their times.
    package mutating func clockWentBack(by step: Int64) {
        if case .open(let time) = state { state = .open(until: time - step) }
        slots = []
    }

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
