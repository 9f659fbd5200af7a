import AgentQueue
import JobModel
import QueueStore

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
                    survey.sha256.map { IngestMark(name: name, digest: $0, linesDone: lastLine) }
                }
                await receipts.take(try await store.enqueue(jobs, ingest: mark))
            }
            // Only now: before the last line is in, the batch may seem to have ended.
            if let batch = defaults.batch, !onBatchFinish.isEmpty {
                if try await !store.watch(batch: batch, tell: onBatchFinish) {
                    Diagnostics.say("no job is in batch \(batch), whose end nobody tells")
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
        if duplicates > 0 { text += ", \(duplicates) there already" }
        if survey.skipped > 0 { text += ", \(survey.skipped) bad \(survey.skipped == 1 ? "line" : "lines") passed over" }
        if line > 0 { text += line >= survey.lines ? "; all lines were added before" : "; lines up to \(line) were added before" }
        return text
    }
}
