import AgentQueue
import Settings

/// Memories from a file of JSON lines: every line is validated before anything is stored.
struct MemoryBulkRun {
    /// The file; `-` is standard input.
    let path: String
    /// The `.npy` file with the vectors of its lines; nil where the lines hold them, or none.
    var vectors: String?
    let options: BulkMemoryOptions
    let session: Session

    /// Stores them, with a progress bar.
    ///
    /// - Returns: what the file was found to hold.
    /// - Throws: `InputError`, naming the file; `CommandFailure` where it ended in the middle.
    func run(_ receipts: inout MemoryReceipts) async throws -> BulkMemorySurvey {
        var taken = receipts
        defer { receipts = taken }
        return try await session.withMemories { memories in
            // Opened within, because a pipe is set aside in the database's folder, which opening makes.
            let input = try BulkFile.input(path, session)
            let rows = try vectors.map { path throws(InputError) in try VectorFile(path: path) }
            let run = BulkMemories(input: input, vectors: rows, options: options, memories: memories)
            let survey = try await check(run, input.name)
            var bar = ProgressBar("Storing")
            defer { bar.clear() }
            do {
                bar.update(0, of: survey.memories)
                try await run.store(survey) { results in
                    taken.take(results)
                    bar.update(taken.total, of: survey.memories)
                }
            } catch {
                throw taken.interrupted(by: error)
            }
            return survey
        }
    }

    private func check(_ run: BulkMemories, _ name: String) async throws -> BulkMemorySurvey {
        var bar = ProgressBar("Checking")
        defer { bar.clear() }
        do {
            return try await run.check { lines in bar.update(lines, of: nil) }
        } catch let error as InputError {
            throw InputError("\(name): \(error.message); nothing was stored", exit: error.exit)
        }
    }
}
