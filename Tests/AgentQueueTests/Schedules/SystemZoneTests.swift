import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueue

/// The machine's time zone, in every form in which `TZ` or the machine's setting may say it.
@Suite struct SystemZoneTests {
    /// 2026-07-01T00:00Z.
    private static let summer: Int64 = 1_782_864_000

    @Test(
        arguments: [
            ("Europe/Berlin", "Europe/Berlin", 7_200), (":Europe/Berlin", "Europe/Berlin", 7_200),
            ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin", 7_200), (":/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin", 7_200),
            ("EST5EDT", "EST5EDT", -14_400), ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", 7_200),
            ("CET", "CET-1CEST,M3.5.0,M10.5.0/3", 7_200), ("UTC", "UTC", 0), ("Etc/UTC", "UTC", 0), ("", "UTC", 0), (":", "UTC", 0),
            ("UTC0", "UTC0", 0),
        ] as [(String, String, Int64)])
    func everyFormOfTheVariableIsUnderstood(_ variable: String, _ name: String, _ offset: Int64) throws {
        let zone = try SystemZone.current(.init(variable: variable))
        #expect((zone.name, zone.offset(at: Self.summer)) == (name, offset))
        // The name is stored with a schedule, and read by another process.
        #expect(SystemZone(zone.name)?.offset(at: Self.summer) == offset)
    }

    @Test(arguments: ["Nowhere", "Europe/Berln", "/nonexistent/zone", "../../../etc/passwd", "/etc/passwd", "CET-1CEST,M3.5.0"])
    func whatIsNotUnderstoodIsRefusedAndNotUTC(_ variable: String) throws {
        let error = #expect(throws: InvalidText.self) { try SystemZone.current(.init(variable: variable)) }
        #expect(error?.message.hasPrefix("TZ '\(variable)' is not a time zone of this machine") == true)
    }

    @Test func withoutTheVariableTheMachineSettingHolds() async throws {
        try await withFolder { folder in
            var machine = SystemZone.Machine(variable: nil)
            machine.local = folder + "/localtime"
            #expect(try SystemZone.current(machine).name == "UTC")
            try FileManager.default.createSymbolicLink(
                atPath: machine.local, withDestinationPath: "/usr/share/zoneinfo/Europe/Berlin")
            #expect(try SystemZone.current(machine).name == "Europe/Berlin")
            // A copy has no name, but a rule.
            try FileManager.default.removeItem(atPath: machine.local)
            try FileManager.default.copyItem(atPath: "/usr/share/zoneinfo/Europe/Berlin", toPath: machine.local)
            let copied = try SystemZone.current(machine)
            #expect((copied.name, copied.offset(at: Self.summer)) == ("CET-1CEST,M3.5.0,M10.5.0/3", 7_200))
            try Data("nothing".utf8).write(to: URL(filePath: machine.local))
            #expect(throws: InvalidText.self) { try SystemZone.current(machine) }
        }
    }
}
