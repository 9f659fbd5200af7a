import Foundation
import Glibc

/// A wall clock that a test sets for the programs it starts, and sets again while they run.
package struct ShiftedClock: Sendable {
    private let file: String
    private let library: String

    /// Makes one in a folder of the test's own, not ahead of the machine's clock.
    /// - Returns: nil where there is no C compiler.
    package static func make(in folder: String) async throws -> ShiftedClock? {
        let compiler = "/usr/bin/cc"
        guard access(compiler, X_OK) == 0 else { return nil }
        let source = URL(filePath: #filePath).appending(path: "../../Faults/shift_clock.c").standardized.path()
        let clock = ShiftedClock(file: folder + "/shift", library: folder + "/shift_clock.so")
        let compiling = try ChildProcess(
            compiler, ["-shared", "-fPIC", "-O1", "-o", clock.library, source], environment: ["PATH": "/usr/bin:/bin", "TMPDIR": folder])
        let (ending, output) = try await compiling.endOfOutput()
        guard ending == .exit(0) else { throw TookTooLong("\(source) does not compile: \(output)") }
        try clock.set(ahead: 0)
        return clock
    }

    /// What a program must find in its environment.
    package var environment: [String: String] { ["LD_PRELOAD": library, "SHIFT_FILE": file] }

    /// Sets the clock so many seconds ahead of the machine's: forward where it was less ahead before, else back.
    package func set(ahead seconds: Int) throws {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        var seconds = seconds
        guard pwrite(descriptor, &seconds, MemoryLayout<Int>.size, 0) == MemoryLayout<Int>.size else { throw CocoaError(.fileWriteUnknown) }
    }
}
