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
    let defaults: JobDefaults
    let skipsInvalid: Bool
    /// The name under which a later run goes on.
    let ingest: String?
    let printsReceipts: Bool
    let json: Bool
    /// Who is told when all jobs of the batch have ended.
    let onBatchFinish: [String]
    let session: Session

    func run() async throws {
        try NotificationName.check(onBatchFinish, in: session.settings.intakeContext(now: Now.milliseconds))
        try await session.withStore { store in
            // Opened first, because a pipe is set aside in the database's folder, which opening makes.
            let file = try await BulkFile.check(
                path, defaults: defaults, skipsInvalid: skipsInvalid, digest: ingest != nil, session: session)
            let survey = file.survey
            var resumeAfter = 0
            if let ingest, let digest = survey.sha256 { resumeAfter = try store.ingestProgress(name: ingest, digest: digest) }
            let receipts = BulkReceipts(printsReceipts: printsReceipts, json: json)
            try await file.forEachSlice("Adding", after: resumeAfter) { [ingest] jobs, lastLine in
                let mark = ingest.flatMap { name in
                    survey.sha256.map { IngestCheckpoint(name: name, digest: $0, linesDone: lastLine) }
                }
                await receipts.take(try await store.enqueue(jobs, ingest: mark))
            }
            // Only now: before the last line is in, the batch may seem to have ended.
            if let batch = defaults.batch, !onBatchFinish.isEmpty {
                if try await !store.watch(batch: batch, tell: onBatchFinish) {
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
                Diagnostics.say("\(input.name): \(error.message); skipped")
            }
            let survey = try await jobs.check(skippingInvalid: skipsInvalid ? report : nil, digest: digest) { bytes, total in
                bar.update(Int(bytes), of: Int(total))
            }
            return BulkFile(jobs: jobs, survey: survey)
        } catch let error as InputError {
            throw InputError("\(input.name): \(error.message); nothing added", exit: error.exit)
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

/// What adding many jobs came to, and their numbers if they are to be printed.
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

    /// Takes those of a slice. A reader that went away, or a full disk behind standard output, stops the printing, not the adding.
    func take(_ receipts: [Enqueued]) {
        for receipt in receipts {
            if receipt.duplicateOf == nil { added += 1 } else { duplicates += 1 }
        }
        guard printsReceipts, failure == nil else { return }
        do {
            for receipt in receipts {
                try json ? output.json(ReceiptJSON.receipt(receipt)) : output.line("\(receipt.id)")
            }
            // What is printed is committed, and what is committed is printed, even if the rest never comes.
            try output.flush()
        } catch {
            failure = error
        }
    }

    /// Ends the printing.
    ///
    /// - Throws: what stopped it, unless that was a reader that had seen enough.
    func finish() throws {
        if let failure, !(failure is OutputClosed) { throw failure }
    }
}
