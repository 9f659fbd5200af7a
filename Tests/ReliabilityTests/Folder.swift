import Foundation
import Glibc

/// A folder of a test's own.
enum Folder {
    /// In memory, where the machine has such a place: a disk that stalls for seconds, as a rented one does, is not what these
    /// tests are about. (What a commit survives does not change: processes die here, not machines.)
    private static let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()

    /// Makes one.
    static func make() throws -> String {
        let folder = base + "/aq-reliability-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }
}
