import AgentQueueModel
import AgentQueueSettings

/// Formats numbers, times and sizes for people.
package enum Figures {
    /// `1,234,567`.
    package static func count(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { grouped += "," }
            grouped.append(digit)
        }
        return value < 0 ? "-\(grouped)" : grouped
    }

    /// `1 job`, `2 jobs`.
    package static func count(_ value: Int, _ noun: String, plural: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? noun : plural ?? noun + "s")"
    }

    /// `1.5 MiB`.
    package static func bytes(_ value: some BinaryInteger) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
        guard value >= 1_024 else { return "\(value) B" }
        var size = Double(value) / 1_024
        var unit = 0
        while size >= 1_024, unit < units.count - 1 {
            size /= 1_024
            unit += 1
        }
        return "\(decimal(size, places: size < 10 ? 1 : 0)) \(units[unit])"
    }

    /// `$0.0123`, `$12.35`, `unknown`: see ``Money/display(_:)``.
    package static func money(_ dollars: Double?) -> String { Money.display(dollars) }

    /// Of several calls of which some have no known price: see ``Money/display(_:unpriced:)``.
    package static func money(_ known: Double?, unpriced: Int) -> String { Money.display(known, unpriced: unpriced) }

    /// `340ms`, `1.25s`, `12.5s`, `2m5s`: as ``DurationText`` writes them, rounded to what matters.
    package static func duration(milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1_000: DurationText.format(.milliseconds(milliseconds))
        case ..<10_000: DurationText.format(.milliseconds((milliseconds + 5) / 10 * 10))
        case ..<60_000: DurationText.format(.milliseconds((milliseconds + 50) / 100 * 100))
        default: coarse(seconds: milliseconds / 1_000)
        }
    }

    /// `45s`, `2m5s`, `3h10m`, `4d2h`: two units at most.
    package static func coarse(seconds: Int64) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60)
        switch seconds {
        case ..<60: return "\(max(0, seconds))s"
        case ..<3_600: return "\(minutes)m" + (seconds % 60 > 0 ? "\(seconds % 60)s" : "")
        case ..<86_400: return "\(hours)h" + (minutes > 0 ? "\(minutes)m" : "")
        default: return "\(days)d" + (hours > 0 ? "\(hours)h" : "")
        }
    }

    /// `3m ago`, `in 2h`, `now`.
    package static func relative(_ milliseconds: Int64, now: Int64) -> String {
        let seconds = (now - milliseconds) / 1_000
        if seconds == 0 { return "now" }
        return seconds > 0 ? "\(short(seconds)) ago" : "in \(short(-seconds))"
    }

    /// When something is tried that waits for a time and for a job: `in 8s`, or `with the next job` once the time has come.
    package static func next(_ milliseconds: Int64, now: Int64) -> String {
        milliseconds > now ? relative(milliseconds, now: now) : "with the next job"
    }

    /// `2026-11-22 12:57:01 UTC (3m ago)`.
    package static func time(_ milliseconds: Int64, now: Int64) -> String {
        let text = TimeText.format(milliseconds)
        let seconds = text.dropLast(5)
        return "\(seconds.replacing("T", with: " ")) UTC (\(relative(milliseconds, now: now)))"
    }

    /// `12.5`.
    package static func decimal(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let whole = "\(sign)\(count(scaled / scale))"
        guard places > 0 else { return whole }
        let digits = String(scaled % scale)
        return "\(whole).\(String(repeating: "0", count: places - digits.count))\(digits)"
    }

    /// One unit: `3m`, `2h`, `5d`.
    private static func short(_ seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3_600: "\(seconds / 60)m"
        case ..<86_400: "\(seconds / 3_600)h"
        default: "\(seconds / 86_400)d"
        }
    }
}
