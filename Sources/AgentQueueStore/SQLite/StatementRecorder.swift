#if DEBUG
    import Foundation
    import Glibc
    import Synchronization

    /// Records every SQL text that this process prepares, so that a test can have PostgreSQL prepare them all. If
    /// AGENT_QUEUE_TEST_STATEMENTS names a file, the texts are appended to it, so that those of several processes are collected. Not in
    /// release builds.
    package enum StatementRecorder {
        private static let seen = Mutex<Set<String>>([])
        /// The file's descriptor; -1 if none is requested.
        private static let file: CInt =
            ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_STATEMENTS"].map {
                open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            }
            ?? -1

        static func note(_ sql: String) {
            guard seen.withLock({ $0.insert(sql).inserted }), file >= 0 else { return }
            // A single write, which O_APPEND keeps intact among those of other processes. Each text ends with a NUL, because texts contain
            // newlines but no NUL.
            let bytes = Array(sql.utf8) + [0]
            _ = write(file, bytes, bytes.count)
        }

        /// What this process has prepared so far, and what the file has from other processes.
        package static var texts: Set<String> {
            var texts = seen.withLock { $0 }
            if let path = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_STATEMENTS"],
                let bytes = FileManager.default.contents(atPath: path)
            {
                for text in bytes.split(separator: 0) { texts.insert(String(decoding: text, as: UTF8.self)) }
            }
            return texts
        }
    }
#endif
