import AgentQueue
import Glibc
import JobModel
import QueueStore
import Settings

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
    let session: Session

    func run() async throws {
        if let ingest, !(1...JobLimits.maxBatchNameBytes).contains(ingest.utf8.count) || ingest.utf8.contains(0) {
            throw CommandFailure(.usage, "--ingest needs a name of 1 to \(JobLimits.maxBatchNameBytes) bytes")
        }
        let context = session.settings.intakeContext(now: Now.milliseconds)
        try await session.withStore { store in
            // Opened first, because a pipe is set aside in the database's folder, which opening makes.
            let input = try input()
            let bulk = BulkEnqueue(input: input, defaults: defaults, context: context)
            let survey = try await check(bulk, name: input.name)
            var resumeAfter = 0
            if let ingest, let digest = survey.sha256 { resumeAfter = try store.ingestProgress(name: ingest, digest: digest) }
            let receipts = BulkReceipts(printsReceipts: printsReceipts, json: json)
            try await add(bulk, survey, after: resumeAfter, to: store, receipts)
            try await receipts.finish()
            await Diagnostics.write(summary(survey, resumedAfter: resumeAfter, receipts) + "\n")
        }
    }

    private func input() throws -> BulkInput {
        let folder = FilePath.folder(of: session.settings.database)
        guard path != "-" else { return try BulkInput(descriptor: STDIN_FILENO, spoolFolder: folder) }
        return try BulkInput(path: path, spoolFolder: folder)
    }

    private func check(_ bulk: BulkEnqueue, name: String) async throws -> BulkSurvey {
        var bar = ProgressBar("Checking", unit: .bytes)
        defer { bar.clear() }
        do {
            let report = { (_: Int, error: InputError) in
                bar.clear()
                Diagnostics.say("\(name): \(error.message); passed over")
            }
            return try await bulk.check(skippingInvalid: skipsInvalid ? report : nil, digest: ingest != nil) { bytes, total in
                bar.update(Int(bytes), of: Int(total))
            }
        } catch let error as InputError {
            throw InputError("\(name): \(error.message); nothing was added", exit: error.exit)
        }
    }

    private func add(
        _ bulk: BulkEnqueue, _ survey: BulkSurvey, after resumeAfter: Int, to store: QueueStore, _ receipts: BulkReceipts
    ) async throws {
        var bar = ProgressBar("Adding")
        defer { bar.clear() }
        try await bulk.add(survey, after: resumeAfter) { lines, total in
            bar.update(lines, of: total)
        } commit: { jobs, lastLine in
            let mark = ingest.flatMap { name in
                survey.sha256.map { IngestMark(name: name, digest: $0, linesDone: lastLine) }
            }
            await receipts.take(try await store.enqueue(jobs, ingest: mark))
        }
    }

    private func summary(_ survey: BulkSurvey, resumedAfter line: Int, _ receipts: BulkReceipts) async -> String {
        let added = await receipts.added
        let duplicates = await receipts.duplicates
        var text = "\(added) \(added == 1 ? "job" : "jobs") added"
        if duplicates > 0 { text += ", \(duplicates) there already" }
        if survey.skipped > 0 { text += ", \(survey.skipped) bad \(survey.skipped == 1 ? "line" : "lines") passed over" }
        if line > 0 { text += line >= survey.lines ? "; all lines were added before" : "; lines up to \(line) were added before" }
        return text
    }
}
