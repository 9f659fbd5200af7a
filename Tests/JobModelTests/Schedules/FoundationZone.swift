import Foundation
import JobModel

/// A real time zone, with its history.
struct FoundationZone: ZoneOffsets {
    let zone: TimeZone

    init(_ name: String) throws {
        struct Unknown: Error {}
        guard let zone = TimeZone(identifier: name) else { throw Unknown() }
        self.zone = zone
    }

    func offset(at seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }

    /// A time in UTC, such as `2026-03-29T01:00:00Z`; wall clock, ms.
    static func time(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970 * 1_000)
    }

    /// The inverse of ``time(_:)``.
    static func text(_ time: Int64) -> String {
        Date(timeIntervalSince1970: Double(time) / 1_000).formatted(.iso8601)
    }
}
