import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

/// Compared with a clock that is watched minute by minute.
@Suite struct CronPropertyTests {
    /// Days around a jump of the clocks, and one without.
    private static let places: [(zone: String, start: String)] = [
        ("Europe/Lisbon", "2026-03-27T00:00:00Z"), ("Europe/Lisbon", "2026-10-23T00:00:00Z"),
        ("America/New_York", "2026-03-06T00:00:00Z"), ("America/New_York", "2026-10-30T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-02T00:00:00Z"), ("Australia/Lord_Howe", "2026-04-03T00:00:00Z"),
        ("Asia/Kolkata", "2026-11-20T00:00:00Z"), ("Pacific/Apia", "2011-12-28T00:00:00Z"), ("UTC", "2028-02-27T00:00:00Z"),
    ]

    @Test(arguments: places.indices)
    func `the next time is the one that a watched clock finds`(place: Int) throws {
        let (name, start) = Self.places[place]
        let zone = try FoundationZone(name)
        let start0 = try FoundationZone.time(start)
        var generator = SeededGenerator(seed: UInt64(place) + 1)
        let clock = WatchedClock(zone, from: start0, minutes: 5 * 1_440)
        for _ in 0..<60 {
            let written = WrittenCron(using: &generator)
            let cron = try CronExpression(written.text)
            let expected = clock.firings(of: written)
            var found: [Int64] = []
            var time = start0
            while let next = cron.next(after: time, in: zone), next <= clock.end {
                found.append(next)
                time = next
            }
            #expect(found == expected, "\(written.text) in \(name)")
        }
    }

    /// A clock's readings, minute after minute.
    private struct WatchedClock {
        let minutes: [(time: Int64, reading: Int64, fields: [Int])]
        let end: Int64

        init(_ zone: FoundationZone, from start: Int64, minutes count: Int64) {
            minutes = (0...count).map { index in
                let time = start + index * 60_000
                let reading = time / 60_000 + zone.offset(at: time / 1_000) / 60
                return (time, reading, Self.fields(reading))
            }
            end = start + count * 60_000
        }

        static func fields(_ reading: Int64) -> [Int] {
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = TimeZone(secondsFromGMT: 0)!
            let parts = calendar.dateComponents(
                [.minute, .hour, .day, .month, .weekday], from: Date(timeIntervalSince1970: Double(reading) * 60))
            return [parts.minute!, parts.hour!, parts.day!, parts.month!, parts.weekday! - 1]
        }

        /// What a daemon would do that looks at each minute: what its clock skipped comes at once, what it repeats does not come again.
        func firings(of cron: WrittenCron) -> [Int64] {
            var latest = minutes[0].reading
            var firings: [Int64] = []
            for minute in minutes.dropFirst() {
                if cron.followsRealTime {
                    if cron.fits(minute.fields) { firings.append(minute.time) }
                } else if minute.reading > latest {
                    let isLeap = minute.reading - latest > 3 * 60 + 1
                    let shown = isLeap ? [minute.fields] : (latest + 1...minute.reading).map(Self.fields)
                    if shown.contains(where: cron.fits) { firings.append(minute.time) }
                }
                latest = max(latest, minute.reading)
            }
            return firings
        }
    }

    /// An expression, and the sets that it was written from.
    private struct WrittenCron {
        var text: String
        var sets: [Set<Int>]
        var followsRealTime: Bool
        var eitherDay: Bool

        init(using generator: inout SeededGenerator) {
            let ranges = [0...59, 0...23, 1...31, 1...12, 0...6]
            var words: [String] = []
            sets = []
            for (index, range) in ranges.enumerated() {
                // Hours near the jumps, days and months that mostly fit: else there is little to compare.
                let isLoose = index >= 2 && Int.random(in: 0..<3, using: &generator) > 0
                let (word, set) = isLoose ? ("*", Set(range)) : Self.field(index == 1 ? 0...4 : range, of: range, using: &generator)
                words.append(word)
                sets.append(set)
            }
            text = words.joined(separator: " ")
            followsRealTime = words[0...1].contains { $0.contains("*") || $0.contains("/") }
            eitherDay = !words[2].hasPrefix("*") && !words[4].hasPrefix("*")
        }

        private static func field(
            _ near: ClosedRange<Int>, of range: ClosedRange<Int>, using generator: inout SeededGenerator
        ) -> (String, Set<Int>) {
            switch Int.random(in: 0..<5, using: &generator) {
            case 0:
                let step = Int.random(in: 1...max(2, range.count / 2), using: &generator)
                return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
            case 1:
                let low = Int.random(in: near, using: &generator)
                let high = Int.random(in: low...range.upperBound, using: &generator)
                return ("\(low)-\(high)", Set(low...high))
            case 2:
                let low = Int.random(in: near, using: &generator)
                let high = Int.random(in: low...range.upperBound, using: &generator)
                let step = Int.random(in: 1...7, using: &generator)
                guard step <= range.upperBound else { return ("\(low)", [low]) }
                return ("\(low)-\(high)/\(step)", Set(stride(from: low, through: high, by: step)))
            default:
                let numbers = (0..<Int.random(in: 1...3, using: &generator)).map { _ in Int.random(in: near, using: &generator) }
                return (numbers.map(String.init).joined(separator: ","), Set(numbers))
            }
        }

        func fits(_ fields: [Int]) -> Bool {
            guard sets[0].contains(fields[0]), sets[1].contains(fields[1]), sets[3].contains(fields[3]) else { return false }
            let (day, weekday) = (sets[2].contains(fields[2]), sets[4].contains(fields[4]))
            return eitherDay ? day || weekday : day && weekday
        }
    }
}
