import Glibc

/// How many files and connections the process may have open. Many systems allow 1,024 at first, and more to whoever asks.
enum DescriptorLimit {
    /// What the process needs beside its clients' connections: the database, providers, programs.
    private static let own = 512

    /// Asks for what a number of connections takes.
    /// - Returns: the number of connections that are possible, at most as many as asked for.
    static func makeRoom(for connections: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return connections }
        let wanted = rlim_t(connections + own)
        guard limit.rlim_cur < wanted else { return connections }
        let before = limit.rlim_cur
        limit.rlim_cur = min(wanted, limit.rlim_max)
        let allowed = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit.rlim_cur : before
        return max(1, min(connections, Int(allowed) - min(own, Int(allowed) / 2)))
    }
}
