import AgentQueueStore
import Glibc

/// Checks the database file and its file system without opening the file, which only SQLite may do.
package enum FileCheck {
    private static let leastFree: Int64 = 256 << 20

    package static func findings(_ path: String) -> [Finding] {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            // Opening it says what is wrong.
            if QueueStore.isIncomplete(path) { return disk(FilePath.folder(of: path)) }
            return [.note("database", "\(path) does not exist yet; it is created when a job is added")]
        }
        var findings: [Finding] = [.good("database", path)]
        if status.st_uid != geteuid() {
            findings.append(.fault("database", "\(path) is owned by another user; run as that user", .noPermission))
        }
        if status.st_mode & 0o077 != 0 {
            let mode = String(status.st_mode & 0o777, radix: 8)
            findings.append(
                .fault(
                    "database", "\(path) is accessible to other users (mode 0\(mode)); run chmod 600 on it",
                    .noPermission))
        }
        return findings + disk(FilePath.folder(of: path))
    }

    private static func disk(_ folder: String) -> [Finding] {
        var findings: [Finding] = []
        if let type = MountTable.typeWithoutLocks(of: folder) {
            findings.append(
                .fault("disk", "\(folder) is on \(type), where SQLite locks are unreliable; use a local disk", .inputOutput))
        }
        var system = statvfs()
        guard statvfs(folder, &system) == 0 else {
            let reason = String(cString: strerror(errno)).lowercased()
            return findings + [.fault("disk", "\(folder) cannot be checked: \(reason)", .inputOutput)]
        }
        let free = Int64(clamping: system.f_bavail) * Int64(clamping: system.f_frsize)
        findings.append(
            free < leastFree
                ? .fault("disk", "only \(Figures.bytes(free)) free in \(folder); free some space", .inputOutput)
                : .good("disk", "\(Figures.bytes(free)) free"))
        return findings
    }
}

/// The kernel's list of mounted file systems.
package enum MountTable {
    /// File systems that machines share: over a network, or a virtual machine with its host. Their locks and shared memory do not work
    /// across machines as SQLite's WAL requires.
    private static let sharedTypes: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "glusterfs", "ceph", "lustre", "virtiofs", "vboxsf",
    ]

    /// Whether locks are unreliable on a type of file system. Those in user space (`fuse.sshfs`, `fuse.s3fs`) rarely have any that other
    /// machines see; `fuseblk` is a disk.
    package static func hasUnreliableLocks(_ type: some StringProtocol) -> Bool {
        sharedTypes.contains(String(type)) || type == "fuse" || type.hasPrefix("fuse.")
    }

    /// The type of the file system of a folder if locks are unreliable there; nil if they work, or it is unknown.
    package static func typeWithoutLocks(of folder: String) -> String? {
        guard let resolved = realpath(folder, nil) else { return nil }
        defer { free(resolved) }
        let path = String(cString: resolved)
        guard let table = fopen("/proc/self/mounts", "r") else { return nil }
        defer { fclose(table) }
        var best: (length: Int, type: String)?
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, Int32(line.count), table) != nil {
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            guard fields.count >= 3 else { continue }
            let point = fields[1]
            let isAbove = point == "/" || path == point || path.hasPrefix("\(point)/")
            // A later mount at the same path hides the earlier one.
            if isAbove, point.utf8.count >= best?.length ?? 0 { best = (point.utf8.count, String(fields[2])) }
        }
        guard let type = best?.type, hasUnreliableLocks(type) else { return nil }
        return type
    }
}

/// File paths as text.
package enum FilePath {
    /// The folder that a file is in.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
