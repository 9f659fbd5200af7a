import Glibc

/// What is mounted where, as the kernel says.
enum MountTable {
    /// File systems whose locks and shared memory do not reach other machines as SQLite's log needs them to.
    private static let networkTypes: Set<String> = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "glusterfs", "ceph"]

    /// The type of the file system that a folder is on, if that is a network's; nil for a local one, or where nothing tells.
    static func networkType(of folder: String) -> String? {
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
            // Of two at one place, the later lies on top.
            if isAbove, point.utf8.count >= best?.length ?? 0 { best = (point.utf8.count, String(fields[2])) }
        }
        guard let type = best?.type, networkTypes.contains(type) else { return nil }
        return type
    }
}
