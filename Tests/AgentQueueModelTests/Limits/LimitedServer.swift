import AgentQueueModel
import AgentQueueTestSupport

/// A server that refuses calls, and a client with calls without end, in simulated time: no clock, no sleep, all chance from a seed.
struct LimitedServer {
    enum Kind: CaseIterable {
        /// Takes so many calls in each minute of its own.
        case fixedWindow
        /// Takes so many calls in any 60 s.
        case slidingWindow
        /// A bucket that holds a minute's calls and fills evenly.
        case tokenBucket
        /// No limit.
        case unlimited
    }

    /// What a refusal says.
    enum Advice: CaseIterable {
        case wholeSeconds, milliseconds, nothing
    }

    let kind: Kind
    let perMinute: Int
    let advice: Advice
    /// The share of calls that are refused for no reason.
    var noise = 0.0
    /// When one call is refused for no reason, in ms.
    var strayAt: Int64?
    /// When its windows begin, in ms.
    var phase: Int64 = 0
    private var window: (number: Int64, calls: Int) = (-1, 0)
    private var log: [Int64] = []
    private var oldest = 0
    private var level: Double
    private var filledAt: Int64 = 0

    init(_ kind: Kind, perMinute: Int, advice: Advice) {
        (self.kind, self.perMinute, self.advice) = (kind, perMinute, advice)
        level = Double(perMinute)
    }

    enum Answer: Equatable {
        case accepted
        case refused(retryAfter: Int64?)
    }

    mutating func ask(at now: Int64, _ generator: inout SeededGenerator) -> Answer {
        if let time = strayAt, now >= time {
            strayAt = nil
            return refusal(1_000)
        }
        if noise > 0, Double.random(in: 0..<1, using: &generator) < noise { return refusal(1_000) }
        switch kind {
        case .unlimited: return .accepted
        case .fixedWindow:
            let number = (now + phase) / 60_000
            if number != window.number { window = (number, 0) }
            guard window.calls < perMinute else { return refusal((number + 1) * 60_000 - phase - now) }
            window.calls += 1
        case .slidingWindow:
            while oldest < log.count, log[oldest] <= now - 60_000 { oldest += 1 }
            guard log.count - oldest < perMinute else { return refusal(log[oldest] + 60_000 - now) }
            log.append(now)
        case .tokenBucket:
            level = min(Double(perMinute), level + Double(now - filledAt) * Double(perMinute) / 60_000)
            filledAt = now
            guard level >= 1 else { return refusal(Int64(((1 - level) * 60_000 / Double(perMinute)).rounded(.up))) }
            level -= 1
        }
        return .accepted
    }

    private func refusal(_ wait: Int64) -> Answer {
        switch advice {
        case .wholeSeconds: .refused(retryAfter: (max(1, wait) + 999) / 1_000 * 1_000)
        case .milliseconds: .refused(retryAfter: wait)
        case .nothing: .refused(retryAfter: nil)
        }
    }
}

/// A client that learns from refusals.
struct SimulatedClient {
    /// How many calls it makes at once.
    let concurrency: Int
    /// How long an answer takes, in ms, and a refusal.
    let latency: (answer: Int64, refusal: Int64)
    /// The number of answers and refusals in each second.
    private(set) var answers: [Int] = []
    private(set) var refusals: [Int] = []
    private(set) var control = CongestionControl()

    private struct Ending {
        var at: Int64
        var call: Int64
        var answer: LimitedServer.Answer
    }

    init(concurrency: Int, answer: Int64, refusal: Int64) {
        self.concurrency = concurrency
        latency = (max(1, answer), max(1, min(answer, refusal)))
    }

    /// Calls for so long, in ms.
    mutating func run(for length: Int64, _ server: inout LimitedServer, _ generator: inout SeededGenerator) {
        let seconds = Int(length / 1_000) + 1
        (answers, refusals) = (Array(repeating: 0, count: seconds), Array(repeating: 0, count: seconds))
        var bucket: TokenBucket?
        // Latest first.
        var underWay: [Ending] = []
        var answered: [Int64] = []
        var minuteAgo = 0
        var calls: Int64 = 0
        var pausedUntil: Int64 = 0
        var now: Int64 = 0
        while now < length {
            var opening: Int64?
            while underWay.count < concurrency {
                opening = opens(&bucket, pausedUntil, now)
                guard opening == nil else { break }
                bucket?.take(1, now: now)
                calls += 1
                control.begin(calls, now: now)
                let answer = server.ask(at: now, &generator)
                let time =
                    answer == .accepted
                    ? Int64.random(in: (latency.answer / 2)...(latency.answer * 3 / 2), using: &generator) : latency.refusal
                if answer == .accepted { answers[Int(now / 1_000)] += 1 } else { refusals[Int(now / 1_000)] += 1 }
                let ending = Ending(at: now + max(1, time), call: calls, answer: answer)
                underWay.insert(ending, at: underWay.firstIndex { $0.at <= ending.at } ?? underWay.count)
            }
            guard let next = underWay.last, next.at <= opening ?? .max else {
                now = max(now + 1, opening ?? now)
                continue
            }
            underWay.removeLast()
            now = max(now, next.at)
            switch next.answer {
            case .accepted:
                answered.append(now)
                control.accept(next.call, now: now)
            case .refused(let retryAfter):
                while minuteAgo < answered.count, answered[minuteAgo] <= now - 60_000 { minuteAgo += 1 }
                let wait = control.refuse(
                    next.call, retryAfter: retryAfter, latest: calls, taken: Double(answered.count - minuteAgo + underWay.count), now: now)
                if let wait {
                    pausedUntil = max(pausedUntil, now + wait)
                    if bucket == nil { bucket = TokenBucket(capacity: control.rate(at: now) ?? 1, level: 1, updatedAt: now) }
                    bucket?.park(until: now + wait, now: now)
                }
            }
        }
    }

    /// When a call may begin, as a claim decides it; nil if it may now.
    private mutating func opens(_ bucket: inout TokenBucket?, _ pausedUntil: Int64, _ now: Int64) -> Int64? {
        if control.isOver(at: now) { control = CongestionControl() }
        guard now >= pausedUntil else { return pausedUntil }
        guard let rate = control.rate(at: now) else {
            bucket = nil
            return nil
        }
        var current = bucket ?? TokenBucket(capacity: rate, level: 1, updatedAt: now)
        if current.isFar(from: rate, now: now) { current.follow(rate, now: now) }
        bucket = current
        let opening = current.opening(for: 1, now: now)
        return opening <= now ? nil : opening
    }

    /// Answers and refusals a minute, from one second to another.
    func perMinute(from first: Int, to last: Int) -> (answers: Double, refusals: Double) {
        let minutes = Double(last - first) / 60
        return (Double(answers[first..<last].reduce(0, +)) / minutes, Double(refusals[first..<last].reduce(0, +)) / minutes)
    }
}
