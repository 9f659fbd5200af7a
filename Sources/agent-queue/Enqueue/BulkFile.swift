import AgentQueue
import Glibc
import JobModel
import Settings

/// A file of jobs that was checked whole.
struct BulkFile {
    let jobs: BulkEnqueue
    let survey: BulkSurvey

    /// Opens a file, or standard input for `-`, and checks every line. Bad lines are reported where they are passed over.
    /// - Parameters:
    ///   - digest: whether the survey is to hold the content's SHA-256.
    /// - Throws: `InputError`, naming the file.
    static func check(
        _ path: String, defaults: JobDefaults, skipsInvalid: Bool, digest: Bool = false, session: Session
    ) async throws -> BulkFile {
        let input = try input(path, session)
        let jobs = BulkEnqueue(input: input, defaults: defaults, context: session.settings.intakeContext(now: Now.milliseconds))
        var bar = ProgressBar("Checking", unit: .bytes)
        defer { bar.clear() }
        do {
            let report = { (_: Int, error: InputError) in
                bar.clear()
                Diagnostics.say("\(input.name): \(error.message); passed over")
            }
            let survey = try await jobs.check(skippingInvalid: skipsInvalid ? report : nil, digest: digest) { bytes, total in
                bar.update(Int(bytes), of: Int(total))
            }
            return BulkFile(jobs: jobs, survey: survey)
        } catch let error as InputError {
            throw InputError("\(input.name): \(error.message); nothing was added", exit: error.exit)
        }
    }

    /// The second pass, with a progress bar.
    /// - Parameter commit: takes a slice, with the number of its last line.
    func forEachSlice(
        _ label: String, after line: Int = 0, _ commit: @escaping @Sendable (_ jobs: [NewJob], _ lastLine: Int) async throws -> Void
    ) async throws {
        var bar = ProgressBar(label)
        defer { bar.clear() }
        try await jobs.add(survey, after: line, progress: { lines, total in bar.update(lines, of: total) }, commit: commit)
    }

    /// Opens a file, or standard input for `-`.
    ///
    /// - Throws: `InputError`.
    static func input(_ path: String, _ session: Session) throws -> BulkInput {
        let folder = FilePath.folder(of: session.settings.database)
        guard path != "-" else { return try BulkInput(descriptor: STDIN_FILENO, spoolFolder: folder) }
        return try BulkInput(path: path, spoolFolder: folder)
    }
}
