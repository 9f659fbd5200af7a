import JobModel
import QueueStore

/// Prints a job's answer while it comes, and waits until the job is final.
struct StreamWait {
    let id: Int64
    /// Nil waits for ever.
    let timeout: Duration?
    let session: Session

    /// - Throws: `CommandFailure` on a job that does not exist or ends without an answer, and when time runs out.
    func run(in store: QueueStore) async throws {
        try await Deadline.run(timeout) {
            try await follow(store)
        } expired: { duration in
            CommandFailure(.timedOut, "job \(id) was not final within \(duration)")
        }
    }

    private func follow(_ store: QueueStore) async throws {
        guard let state = try store.states(of: [id])[id] else { throw JobFailure.notFound(id) }
        var printer = StreamPrinter()
        if !state.isFinal {
            try WorkerHint.sayIfNoneRuns(store)
            try await ProviderHint.say(for: [id], store, session)
            // An answer that is on its way already comes whole; the next call is streamed.
            try await store.requestStream(of: id)
        }
        var sequence: Int64 = 0
        for await _ in store.changes(of: .done) {
            // Read before the text: what comes later than a final state has no pieces any more.
            let isFinal = try store.states(of: [id])[id]?.isFinal ?? true
            let page = try store.stream(of: id, after: sequence)
            try printer.show(page)
            sequence = page.lastSequence
            guard isFinal else { continue }
            guard let job = try store.job(id) else {
                try printer.endLine()
                throw CommandFailure(.badInput, "job \(id) was deleted while it was waited for")
            }
            return try printer.finish(job)
        }
        try printer.endLine()
    }
}
