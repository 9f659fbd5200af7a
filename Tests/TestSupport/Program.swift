import Foundation

/// A program of this package, as built: it lies beside the running tests.
public enum Program: String, Sendable {
    case queue = "agent-queue"
    case worker = "agent-worker"
    case bench = "aq-bench"

    /// Where the running tests are.
    public static var tests: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// Where it is.
    public var path: String { URL(filePath: Self.tests).deletingLastPathComponent().appending(path: rawValue).path() }
}
