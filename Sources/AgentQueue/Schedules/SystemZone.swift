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
        let offset = offset(at: time.flooredQuotient(1_000)) / 60
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        // The zone's clocks show what UTC's would so much later.
        let shown = TimeText.format(time + offset * 60_000)
        return
            "\(shown.prefix(10)) \(shown.dropFirst(11).prefix(5)) \(offset < 0 ? "-" : "+")\(two(abs(offset) / 60)):\(two(abs(offset) % 60))"
    }
}
