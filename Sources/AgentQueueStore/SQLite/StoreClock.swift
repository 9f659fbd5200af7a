import CAgentQueue
import Glibc

/// The store's clocks, injected so that tests can control them.
package struct StoreClock: Sendable {
    /// Wall clock in ms since 1970, for times that people see and schedule.
    package var wall: @Sendable () -> Int64
    /// CLOCK_BOOTTIME in ms, for leases, because nobody can set it.
    package var boot: @Sendable () -> Int64
    /// Identifies the boot from which that clock counts.
    package var bootID: @Sendable () -> String

    package init(wall: @escaping @Sendable () -> Int64, boot: @escaping @Sendable () -> Int64, bootID: @escaping @Sendable () -> String) {
        self.wall = wall
        self.boot = boot
        self.bootID = bootID
    }

    /// The machine's clocks.
    package static let system = StoreClock(
        wall: { platform_wall_ms() },
        boot: { platform_boottime_ms() },
        bootID: { systemBootID })

    /// The boot's id as a number, for a column of numbers; 0 if the machine does not report it.
    var bootNumber: Int64 {
        let id = bootID()
        return id == "unknown" ? 0 : Int64(id.filter(\.isHexDigit).prefix(15), radix: 16) ?? 0
    }

    /// Read once, since it cannot change while the process lives. A machine that does not report it gets an id that never matches another,
    /// which only makes rescue wait for leases.
    private static let systemBootID: String = {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return "unknown" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, 64, file) != nil else { return "unknown" }
        return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()
}
