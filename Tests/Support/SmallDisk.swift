import Foundation
import Glibc

/// A small disk of a test's own, in memory, which the test can fill to the last page.
package struct SmallDisk: Sendable {
    /// Mounting one takes root, or a user namespace.
    package static let isPossible = geteuid() == 0

    /// Where it is mounted.
    package let path: String

    private var filler: String { path + "/filler" }

    /// Mounts a disk, lends it, and unmounts it.
    package static func withDisk<Value>(mebibytes: Int, _ body: (SmallDisk) async throws -> Value) async throws -> Value {
        let path = try Folder.make()
        defer { rmdir(path) }
        let arguments = ["-t", "tmpfs", "-o", "size=\(mebibytes)m,mode=700", "none", path]
        let mounting = try await ChildProcess("/usr/bin/mount", arguments).endOfOutput()
        guard mounting.ending == .exit(0) else { throw NotPossible(description: mounting.output) }
        do {
            let value = try await body(SmallDisk(path: path))
            try await unmount(path)
            return value
        } catch {
            try await unmount(path)
            throw error
        }
    }

    /// Runs tests again in a process that may mount disks, for one that may not.
    /// - Returns: how that process ended, and its output; nil where the system allows no user namespaces.
    package static func runTestsInNamespace(
        filter: String, within limit: Duration = .seconds(120)
    ) async throws -> (ending: ChildProcess.Ending, output: String)? {
        let environment = ProcessInfo.processInfo.environment
        guard try await ChildProcess("/usr/bin/unshare", ["-rm", "true"]).end() == .exit(0) else { return nil }
        let arguments = ["-rm", Program.tests, "--testing-library", "swift-testing", "--filter", filter]
        return try await ChildProcess("/usr/bin/unshare", arguments, environment: environment).endOfOutput(within: limit)
    }

    /// Fills it with a file, to the last page.
    package func fill() throws {
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw NotPossible(description: "the filler cannot be opened: \(errno)") }
        defer { close(descriptor) }
        lseek(descriptor, 0, SEEK_END)
        let page = [UInt8](repeating: 1, count: 4_096)
        while write(descriptor, page, page.count) > 0 {}
        guard errno == ENOSPC else { throw NotPossible(description: "the filler cannot be written: \(errno)") }
    }

    /// Removes the file that filled it.
    package func free() { unlink(filler) }

    private static func unmount(_ path: String) async throws {
        try await ChildProcess("/usr/bin/umount", ["--lazy", path]).end()
    }

    /// A disk could not be made, or filled.
    package struct NotPossible: Error, CustomStringConvertible {
        package var description: String
    }
}
