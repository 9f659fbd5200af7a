import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import Glibc

/// `enqueue --jsonl`: every line is validated before anything is added.
struct BulkRun {
    /// The file; `-` is standard input.
    let path: String
    let defaults: JobDraft
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
            let file = try await BulkFile.check(
                path, defaults: defaults, skipsInvalid: skipsInvalid, digest: ingest != nil, session: session)
            let survey = file.survey
            var resumeAfter = 0
            if let ingest, let digest = survey.sha256 { resumeAfter = try store.jobs.ingestProgress(name: ingest, digest: digest) }
            let receipts = BulkReceipts(printsReceipts: printsReceipts, json: json)
            try await file.forEachSlice("Adding", after: resumeAfter) { [ingest] jobs, lastLine in
                let mark = ingest.flatMap { name in
                    survey.sha256.map { IngestCheckpoint(name: name, digest: $0, linesDone: lastLine) }
                }
                await receipts.take(try await store.jobs.enqueue(jobs, ingest: mark))
            }
            // Only now: before the last line is added, the batch may seem to be finished.
            if let batch = defaults.batch, !onBatchFinish.isEmpty || !onBatchFailure.isEmpty {
                if try await !store.notifications.watch(batch: batch, tell: onBatchFinish, onFailure: onBatchFailure) {
                    Diagnostics.say("batch \(batch) has no jobs, so no notification will be sent for it")
                }
            }
            try await receipts.finish()
            await Diagnostics.write(summary(survey, resumedAfter: resumeAfter, receipts) + "\n")
        }
    }

    private func summary(_ survey: BulkSurvey, resumedAfter line: Int, _ receipts: BulkReceipts) async -> String {
        let added = await receipts.added
        let duplicates = await receipts.duplicates
        var text = "\(added) \(added == 1 ? "job" : "jobs") added"
        if duplicates > 0 { text += ", \(duplicates) already existed" }
        if survey.skipped > 0 { text += ", \(survey.skipped) invalid \(survey.skipped == 1 ? "line" : "lines") skipped" }
        if line > 0 { text += line >= survey.lines ? "; all lines had been added before" : "; lines 1 to \(line) had been added before" }
        return text
    }
}

/// A file of jobs that has been checked completely.
struct BulkFile {
    let jobs: BulkEnqueue
    let survey: BulkSurvey

    /// Opens a file, or standard input for `-`, and checks every line. Reports invalid lines if they are skipped.
    /// - Parameters:
    ///   - digest: Whether to compute the SHA-256 of the content.
    /// - Throws: `InputError`, naming the file.
    static func check(
        _ path: String, defaults: JobDraft, skipsInvalid: Bool, digest: Bool = false, session: Session
    ) async throws -> BulkFile {
        let input = try input(path, session)
        let jobs = BulkEnqueue(input: input, defaults: defaults, context: session.settings.intakeContext(now: Now.milliseconds))
        var bar = ProgressBar("Checking", unit: .bytes)
        defer { bar.clear() }
        do {
            let report = { (_: Int, error: InputError) in
                bar.clear()
                Diagnostics.say("\(input.name): \(error.message); skipped")
            }
            let survey = try await jobs.check(skippingInvalid: skipsInvalid ? report : nil, digest: digest) { bytes, total in
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
    private(set) var added = 0
    private(set) var duplicates = 0
    private let printsReceipts: Bool
    private let json: Bool
    private var output = Output()
    private var failure: (any Error)?

    init(printsReceipts: Bool, json: Bool) {
        self.printsReceipts = printsReceipts
        self.json = json
    }

    /// A closed pipe or a full disk stops the printing, but not the adding.
    func take(_ receipts: [Enqueued]) {
        for receipt in receipts {
            if receipt.duplicateOf == nil { added += 1 } else { duplicates += 1 }
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
