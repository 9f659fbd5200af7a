import Glibc

/// What the process holds in memory.
enum Resident {
    /// Its own pages, without those of files (`RssAnon`), in bytes.
    static var bytes: Int64 {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("RssAnon:") else { continue }
            return (Int64(text.split(whereSeparator: { !$0.isNumber }).first ?? "") ?? 0) * 1_024
        }
        return 0
    }
}
