import AgentQueueModel
import Foundation

/// A time zone of the system's database, or one written as a rule.
package struct SystemZone: ZoneOffsets {
    /// Its name, such as `Europe/Lisbon`, or its rule, such as `EST5EDT`.
    package let name: String
    private let offsets: Offsets

    private enum Offsets {
        case named(TimeZone)
        case rule(PosixZone)
    }

    /// Looks up a zone; nil if there is none with this name. A rule in the form of POSIX is taken, too. Abbreviations such as `CET` and
    /// `EST` are refused: most places have more than one in a year.
    package init?(_ name: String) {
        guard name.utf8.count <= 64 else { return nil }
        self.name = name
        if let rule = PosixZone(name) {
            offsets = .rule(rule)
        } else {
            guard name == "UTC" || name.contains("/"), !name.hasPrefix("/"), let zone = TimeZone(identifier: name) else { return nil }
            offsets = .named(zone)
        }
    }

    /// All names, for "did you mean".
    package static var names: [String] { TimeZone.knownTimeZoneIdentifiers + ["UTC"] }

    /// The seconds ahead of UTC at a time, which is in seconds since 1970.
    package func offset(at seconds: Int64) -> Int64 {
        switch offsets {
        case .named(let zone): Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
        case .rule(let rule): rule.offset(at: seconds)
        }
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

/// The zone that a machine is set to.
extension SystemZone {
    /// What is read of the machine: a variable and files.
    package struct Machine {
        /// The value of `TZ`.
        package var variable: String?
        /// The folder of the system's database.
        package var database = "/usr/share/zoneinfo/"
        /// The link to, or copy of, the file of the machine's zone.
        package var local = "/etc/localtime"

        package init(variable: String?) {
            self.variable = variable
        }
    }

    /// The zone that programs of this machine show times in: that of `TZ` in any of its forms (a name, `:` before it, a file, a rule), or
    /// else the machine's own setting. It is UTC only if one of them says so, or there is none.
    /// - Throws: `InvalidText`, a sentence, if it cannot be determined.
    package static func current(_ machine: Machine) throws(InvalidText) -> SystemZone {
        guard let variable = machine.variable else { return try ofMachine(machine) }
        let name = variable.hasPrefix(":") ? String(variable.dropFirst()) : variable
        // Without a zone, C programs take UTC.
        let zone = name.isEmpty ? SystemZone("UTC") : named(name, machine)
        if let zone { return zone }
        let hint = Suggestion.hint(for: name, in: names)
        let help = hint.isEmpty ? " (set TZ to a name such as Europe/Lisbon, or name the time zone)" : hint
        throw InvalidText("TZ \(InvalidText.quoted(variable)) is not a time zone of this machine\(help)")
    }

    private static func ofMachine(_ machine: Machine) throws(InvalidText) -> SystemZone {
        guard FileManager.default.fileExists(atPath: machine.local) else {
            guard let utc = SystemZone("UTC") else { throw InvalidText("the machine has no time zones") }
            return utc
        }
        // A link to the file of a place says its name; a copy has the rule at its end.
        let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: machine.local)) ?? ""
        if let name = placeName(target), let zone = named(name, machine) { return zone }
        if let zone = rule(inFile: machine.local) { return zone }
        throw InvalidText("the machine's time zone has no name (set TZ to one such as Europe/Lisbon, or name the time zone)")
    }

    private static func named(_ name: String, _ machine: Machine) -> SystemZone? {
        let place = name.hasPrefix("/") ? placeName(name) : name
        if let place {
            if ["Etc/UTC", "Etc/UCT", "Etc/Zulu", "UCT", "Zulu", "Universal"].contains(place) { return SystemZone("UTC") }
            // Without the file, a name such as `Nowhere/1` would be taken for UTC by C programs.
            if let zone = SystemZone(place) { return zone }
        }
        guard !name.contains("..") else { return nil }
        return rule(inFile: name.hasPrefix("/") ? name : machine.database + name)
    }

    /// The name of a place in the path of its file.
    private static func placeName(_ path: String) -> String? {
        guard let folder = path.range(of: "/zoneinfo/") else { return nil }
        let name = path[folder.upperBound...]
        return name.hasPrefix("posix/") ? String(name.dropFirst("posix/".count)) : String(name)
    }

    /// The rule at the end of a file of the database (RFC 9636), which holds for all times to come.
    private static func rule(inFile path: String) -> SystemZone? {
        guard let data = FileManager.default.contents(atPath: path), data.count < 1 << 20, data.starts(with: Data("TZif".utf8)) else {
            return nil
        }
        let lines = data.split(separator: 0x0A)
        return lines.last.flatMap { SystemZone(String(decoding: $0, as: UTF8.self)) }
    }
}
