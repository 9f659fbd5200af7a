#if DEBUG
    import Foundation
    import Glibc
    import Synchronization

    /// Notes each SQL text that this process prepares, so that a test can have PostgreSQL prepare them all. Where AGENT_QUEUE_TEST_STATEMENTS
    /// names a file, they are appended to it, so that the texts of several processes come together. Not in release builds.
    package enum StatementRecorder {
        private static let seen = Mutex<Set<String>>([])
        /// A descriptor of the file; -1 where none is asked for.
        private static let file: CInt =
            ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_STATEMENTS"].map {
                open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            }
            ?? -1

        static func note(_ sql: String) {
            guard seen.withLock({ $0.insert(sql).inserted }), file >= 0 else { return }
            // One write, which O_APPEND keeps whole beside those of others. A NUL ends each: texts have lines, but no NUL.
            let bytes = Array(sql.utf8) + [0]
            _ = write(file, bytes, bytes.count)
        }

        /// What this process has prepared so far, and what the file has of others.
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
