import Foundation

/// The time of day.
public enum WallClock {
    /// Milliseconds since 1970.
    public static let milliseconds: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1_000) }
}
