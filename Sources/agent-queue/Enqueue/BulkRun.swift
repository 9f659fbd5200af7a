import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import Glibc

/// `enqueue --jsonl` and `--csv`: every line is validated before anything is added.
struct BulkRun {
    let source: BulkSource
    let skipsInvalid: Bool
    /// The name by which a later run continues.
    let ingest: String?
    let printsReceipts: Bool
    let json: Bool
    /// Notifications to send when all jobs of the batch have finished.
    let onBatchFinish: [String]
    let onBatchFailure: [String]
    let session: Session

    func run() async throws {
        try NotificationName.check(onBatchFinish + onBatchFailure, in: session.settings.intakeContext(now: Now.milliseconds))
        try await session.withStore(createsFile: true) { store in
            // Opened first: input from a pipe is spooled into the database's folder, which opening creates.
            let named = try ingest.map { try BulkIngest($0, source.form, in: store) }
            let file = try await BulkFile.check(source, skipsInvalid: skipsInvalid, ingest: named, session: session)
            let survey = file.survey
            let resumeAfter = try named?.linesDone(of: survey) ?? 0
            let receipts = BulkReceipts(printsReceipts: printsReceipts, json: json)
            try await file.forEachSlice("Adding", after: resumeAfter) { jobs, lastLine in
                let checkpoint = named?.checkpoint(survey, upTo: lastLine)
                await receipts.take(try await store.jobs.enqueue(jobs, ingest: checkpoint), of: jobs)
            }
            // Only now: before the last line is added, the batch may seem to be finished.
            if let batch = source.defaults.batch, !onBatchFinish.isEmpty || !onBatchFailure.isEmpty {
                if try await !store.notifications.watch(batch: batch, tell: onBatchFinish, onFailure: onBatchFailure) {
                    Diagnostics.say("batch \(batch) has no jobs, so no notification will be sent for it")
                }
            }
            try await receipts.finish()
            await Diagnostics.write(summary(survey, resumedAfter: resumeAfter, receipts) + "\n")
            for warning in await receipts.targets.warnings(session) { Diagnostics.say(warning) }
        }
    }

    private func summary(_ survey: BulkSurvey, resumedAfter line: Int, _ receipts: BulkReceipts) async -> String {
        let duplicates = await receipts.duplicates
        var text = await receipts.targets.summary
        if duplicates > 0 { text += ", \(Figures.count(duplicates)) already existed" }
        let cancelled = await receipts.cancelled
        if cancelled > 0 { text += ", \(Figures.count(cancelled)) cancelled at once (a job that they come after has failed)" }
        if survey.skipped > 0 { text += ", \(Figures.count(survey.skipped, "invalid line")) skipped" }
        if line > 0 { text += line >= survey.lines ? "; all lines had been added before" : "; lines 1 to \(line) had been added before" }
        return text
    }
}

/// A file of jobs as the command names it.
struct BulkSource {
    /// The file; `-` is standard input.
    let path: String
    var form = BulkForm.jobs
    let defaults: JobDraft
    /// The provider that lines of another system's batch form go to.
    var provider: String?
}

/// A file of jobs that has been checked completely.
struct BulkFile {
    let jobs: BulkEnqueue
    let survey: BulkSurvey

    /// Opens a file, or standard input for `-`, and checks every line. Reports invalid lines if they are skipped.
    /// - Throws: `InputError`, naming the file.
    static func check(
        _ source: BulkSource, skipsInvalid: Bool, ingest: BulkIngest? = nil, session: Session
    ) async throws -> BulkFile {
        let input = try input(source.path, session)
        var bar = ProgressBar("Checking", unit: .bytes)
        defer { bar.clear() }
        do {
            let jobs = try BulkEnqueue(
                input: input, form: source.form, defaults: source.defaults,
                context: session.settings.intakeContext(now: Now.milliseconds), provider: source.provider)
            let report = { (_: Int, error: InputError) in
                bar.clear()
                Diagnostics.say("\(input.name): \(error.message); skipped")
            }
            let survey = try await jobs.check(skippingInvalid: skipsInvalid ? report : nil, ingest: ingest) { bytes, total in
                bar.update(Int(bytes), of: Int(total))
            }
            return BulkFile(jobs: jobs, survey: survey)
        } catch let error as InputError {
            throw InputError("\(input.name): \(error.message); nothing added", kind: error.kind)
        }
    }

    /// The second pass, with a progress bar.
    /// - Parameter commit: Stores a slice, given the number of its last line.
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

/// Counts added jobs and prints their IDs if asked to.
actor BulkReceipts {
    private(set) var targets = TargetCounts()
    private(set) var duplicates = 0
    private(set) var cancelled = 0
    private let printsReceipts: Bool
    private let json: Bool
    private var output = Output()
    private var failure: (any Error)?

    init(printsReceipts: Bool, json: Bool) {
        self.printsReceipts = printsReceipts
        self.json = json
    }

    /// A closed pipe or a full disk stops the printing, but not the adding.
    func take(_ receipts: [Enqueued], of jobs: [NewJob]) {
        for (receipt, job) in zip(receipts, jobs) {
            if receipt.duplicateOf == nil { targets.add(job.target) } else { duplicates += 1 }
            if receipt.duplicateOf == nil, receipt.state == .cancelled { cancelled += 1 }
        }
        guard printsReceipts, failure == nil else { return }
        do {
            for receipt in receipts {
                try json ? output.json(ReceiptJSON.receipt(receipt)) : output.line("\(receipt.id)")
            }
            // Flushed after each commit, so that exactly what is committed is printed, even if the rest fails.
            try output.flush()
        } catch {
            failure = error
        }
    }

    /// - Throws: The error that stopped the printing, unless the pipe was closed.
    func finish() throws {
        if let failure, !(failure is OutputClosed) { throw failure }
    }
}
