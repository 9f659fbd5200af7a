/// How a provider's batches are looked after. Times are in ms.
public struct BatchPolicy: Sendable, Equatable {
    /// How long a batch waits for company; 60 s by default.
    public var linger: Int64
    /// How often a batch that is under way is asked for, about: a quarter of it at first, growing to five times as much. 60 s by
    /// default.
    public var poll: Int64
    /// How long an answer to a small request may take, a submission of few bytes included; 60 s by default.
    public var timeout: Int64
    /// How many bytes are sent, or read, in a second at least: a large batch may take longer. 1 MiB by default.
    public var bytesPerSecond: Int
    /// How long the right to look after a batch lasts without renewal; 30 s by default.
    public var lease: Int64

    /// Makes a policy.
    public init(
        linger: Int64 = 60_000, poll: Int64 = 60_000, timeout: Int64 = 60_000, bytesPerSecond: Int = 1 << 20, lease: Int64 = 30_000
    ) {
        self.linger = linger
        self.poll = poll
        self.timeout = timeout
        self.bytesPerSecond = bytesPerSecond
        self.lease = lease
    }

    /// How long sending, or reading, so many bytes may take.
    public func timeout(bytes: Int) -> Int64 { timeout + Int64(bytes) * 1_000 / Int64(max(1, bytesPerSecond)) }

    /// The wait before a batch is asked for again that was found under way so often.
    func interval(afterLooks looks: Int) -> Int64 {
        var interval = firstInterval
        for _ in 0..<min(max(0, looks), 20) where interval < poll * 5 { interval += interval / 2 + 1 }
        return min(interval, poll * 5)
    }

    /// The wait after so many failures in a row: doubled with each, up to five polls.
    func backoff(afterFailures failures: Int) -> Int64 { min(firstInterval << Int64(min(max(0, failures - 1), 20)), poll * 5) }

    /// The shortest wait between two looks at a batch.
    var firstInterval: Int64 { max(1, poll / 4) }

    /// The clocks of the provider and of this machine may differ by that, in ms.
    public static let clockSkew: Int64 = 300_000

    /// From when a deadline is near (wall clock, ms), of a job made at `created`: a tenth of the time between, at least 1 min and at
    /// most 1 h, before it.
    static func nearTime(of deadline: Int64, created: Int64) -> Int64 {
        deadline - min(max((deadline - created) / 10, 60_000), 3_600_000)
    }
}
