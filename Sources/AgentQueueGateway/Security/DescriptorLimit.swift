import Glibc

/// How many files and connections the process may have open. Many systems allow 1,024 by default, and more on request.
enum DescriptorLimit {
    /// What the process needs beside its clients' connections: the database, providers, programs.
    private static let own = 512

    /// Raises the limit as far as a number of connections needs.
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
