import AgentQueueModel
import Foundation

/// A time zone of the system's database, by its name.
package struct SystemZone: ZoneOffsets {
    /// Such as `Europe/Lisbon`.
    package let name: String
    private let zone: TimeZone

    /// Looks a zone up; nil where there is none of this name. Abbreviations such as `CET` and `EST` are not names: most places have more
    /// than one a year.
    package init?(_ name: String) {
        guard name == "UTC" || name.contains("/"), name.utf8.count <= 64, let zone = TimeZone(identifier: name) else { return nil }
        self.name = name
        self.zone = zone
    }

    /// The machine's, by `TZ` or its own setting; UTC where that has no name.
    package static var machine: SystemZone? {
        let name = TimeZone.current.identifier
        return name == "Etc/UTC" ? SystemZone("UTC") : SystemZone(name) ?? SystemZone("UTC")
    }

    /// The names that there are, for "did you mean".
    package static var names: [String] { TimeZone.knownTimeZoneIdentifiers + ["UTC"] }

    /// Seconds ahead of UTC at a time, seconds since 1970.
    package func offset(at seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }

    /// A time as the zone's clocks show it, with its offset: `2026-12-01 07:00 +01:00`.
    /// - Parameter time: wall clock, ms.
    package func text(_ time: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(time) / 1_000)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        let offset = zone.secondsFromGMT(for: date) / 60
        let sign = offset < 0 ? "-" : "+"
        let day = "\(parts.year ?? 0)-\(two(parts.month))-\(two(parts.day))"
        return "\(day) \(two(parts.hour)):\(two(parts.minute)) \(sign)\(two(abs(offset) / 60)):\(two(abs(offset) % 60))"
    }
}
