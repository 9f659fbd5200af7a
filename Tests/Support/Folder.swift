import Foundation
import Glibc

/// A folder of a test's own.
public enum Folder {
    /// In memory, where the machine has such a place: a disk that stalls for seconds, as a rented one does, is not what tests are
    /// about. (What a commit survives does not change: processes die in tests, not machines.)
    private static let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()

    /// Makes one. Who makes it removes it.
    public static func make() throws -> String {
        let folder = base + "/aq-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// Runs a test in a fresh folder, which is gone afterwards.
public func withFolder<Result>(_ body: (_ folder: String) async throws -> Result) async throws -> Result {
    let folder = try Folder.make()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
