/// Which prefixes the prompt cache holds, and who waits for one to get there: a state machine without a clock.
///
/// The cache can be read only once the first answer has begun: requests that come at once would all pay for writing the same. So
/// one leads, and the others wait until it has begun, or has failed, upon which the next one leads.
struct PromptPrefixes: Sendable {
    /// What a request is to do.
    enum Turn: Sendable, Equatable {
        /// Go: the prefix is there, or on its way.
        case go
        /// Go first, and tell when the answer begins, or that it does not come.
        case lead
        /// Wait to be told.
        case wait
    }

    private struct Entry {
        var leader: Int?
        /// In the order of their arrival.
        var waiters: [Int] = []
        /// When the cache forgets it.
        var warmUntil = Int64.min
        var lastUse = 0
    }

    /// How many prefixes it remembers, those that nobody waits for being forgotten first; one a day old is worth nothing.
    let capacity: Int
    private var entries: [PromptPrefix: Entry] = [:]
    private var uses = 0

    /// Remembers nothing yet.
    init(capacity: Int = 1_000) {
        self.capacity = max(1, capacity)
    }

    /// How many prefixes it remembers now.
    var count: Int { entries.count }

    /// A request comes.
    /// - Parameters:
    ///   - request: its number, given once.
    ///   - now: any clock that does not go back, ms; the same in all calls.
    mutating func arrive(_ request: Int, at prefix: PromptPrefix, now: Int64) -> Turn {
        var entry = entries[prefix] ?? Entry()
        uses += 1
        entry.lastUse = uses
        let turn: Turn
        if entry.warmUntil > now {
            turn = .go
        } else if entry.leader == nil {
            entry.leader = request
            turn = .lead
        } else {
            entry.waiters.append(request)
            turn = .wait
        }
        entries[prefix] = entry
        forget()
        return turn
    }

    /// An answer with this prefix has begun, whoever asked. Returns those who need wait no longer.
    mutating func begin(_ prefix: PromptPrefix, now: Int64) -> [Int] {
        guard var entry = entries[prefix] else { return [] }
        let released = entry.waiters
        entry.leader = nil
        entry.waiters = []
        entry.warmUntil = max(entry.warmUntil, now + prefix.timeToLive)
        entries[prefix] = entry
        return released
    }

    /// A request ends without an answer. Returns who leads now, if another must.
    mutating func fail(_ request: Int, at prefix: PromptPrefix) -> Int? {
        guard let entry = entries[prefix], entry.leader == request else { return nil }
        if entry.waiters.isEmpty {
            // Nobody waits: whoever comes next leads.
            entries[prefix] = nil
            return nil
        }
        let next = entry.waiters[0]
        entries[prefix]?.waiters.removeFirst()
        entries[prefix]?.leader = next
        return next
    }

    /// A request waits no longer.
    mutating func leave(_ request: Int, at prefix: PromptPrefix) {
        entries[prefix]?.waiters.removeAll { $0 == request }
    }

    private mutating func forget() {
        while entries.count > capacity {
            let idle = entries.lazy.filter { $0.value.leader == nil && $0.value.waiters.isEmpty }
            guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return }
            entries[oldest] = nil
        }
    }
}
