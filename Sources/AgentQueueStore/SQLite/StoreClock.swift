import CAgentQueue
import Glibc

/// The clocks of the store, passed in so that tests can turn them.
package struct StoreClock: Sendable {
    /// Wall clock, ms since 1970: for what people see and schedule.
    package var wall: @Sendable () -> Int64
    /// CLOCK_BOOTTIME, ms: for leases, since no one can set it.
    package var boot: @Sendable () -> Int64
    /// Which boot that clock counts from.
    package var bootID: @Sendable () -> String

    /// Makes clocks.
    package init(wall: @escaping @Sendable () -> Int64, boot: @escaping @Sendable () -> Int64, bootID: @escaping @Sendable () -> String) {
        self.wall = wall
        self.boot = boot
        self.bootID = bootID
    }

    /// The machine's.
    package static let system = StoreClock(
        wall: { platform_wall_ms() },
        boot: { platform_boottime_ms() },
        bootID: { systemBootID })

    /// Read once: it cannot change under a living process. A machine that does not tell gets a name that never matches
    /// another one's, which only makes rescue wait for leases.
    private static let systemBootID: String = {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return "unknown" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, 64, file) != nil else { return "unknown" }
        return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()
}
