import AgentQueueModel
import Foundation

/// A time zone of the system's database.
package struct SystemZone: ZoneOffsets {
    /// Its name, such as `Europe/Lisbon`.
    package let name: String
    private let zone: TimeZone

    /// Looks up a zone; nil if there is none with this name. Abbreviations such as `CET` and `EST` are refused: most places have more than
    /// one in a year.
    package init?(_ name: String) {
        guard name == "UTC" || name.contains("/"), name.utf8.count <= 64, let zone = TimeZone(identifier: name) else { return nil }
        self.name = name
        self.zone = zone
    }

    /// The machine's zone, from `TZ` or its own setting; UTC if that has no name.
    package static var machine: SystemZone? {
        let name = TimeZone.current.identifier
        return name == "Etc/UTC" ? SystemZone("UTC") : SystemZone(name) ?? SystemZone("UTC")
    }

    /// All names, for "did you mean".
    package static var names: [String] { TimeZone.knownTimeZoneIdentifiers + ["UTC"] }

    /// The seconds ahead of UTC at a time, which is in seconds since 1970.
    package func offset(at seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }

    /// A time in this zone, with its offset: `2026-12-01 07:00 +01:00`.
    /// - Parameter time: wall clock, in ms.
    package func text(_ time: Int64) -> String {
        let offset = offset(at: time.flooredQuotient(1_000)) / 60
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        // Formats, as UTC, the time shifted by the zone's offset.
        let shown = TimeText.format(time + offset * 60_000)
        return
            "\(shown.prefix(10)) \(shown.dropFirst(11).prefix(5)) \(offset < 0 ? "-" : "+")\(two(abs(offset) / 60)):\(two(abs(offset) % 60))"
    }
}
