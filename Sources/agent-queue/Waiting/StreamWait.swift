import AgentQueueModel
import AgentQueueReports
import AgentQueueStore

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
            CommandFailure(.timedOut, "timed out after \(duration): job \(id) has not finished")
        }
    }

    private func follow(_ store: QueueStore) async throws {
        guard let state = try store.jobs.states(of: [id])[id] else { throw JobFailure.notFound(id) }
        var printer = StreamPrinter()
        if !state.isFinal {
            try WorkerHint.sayIfNoneRuns(store)
            try await ProviderHint.say(for: [id], store, session)
            // An answer that is on its way already comes whole; the next call is streamed.
            try await store.jobs.requestStream(of: id)
        }
        var sequence: Int64 = 0
        for await _ in store.changes(of: .done) {
            // Read before the text: what comes later than a final state has no pieces any more.
            let isFinal = try store.jobs.states(of: [id])[id]?.isFinal ?? true
            let page = try store.jobs.stream(of: id, after: sequence)
            try printer.show(page)
            sequence = page.lastSequence
            guard isFinal else { continue }
            guard let job = try store.jobs.get(id) else {
                try printer.endLine()
                throw CommandFailure(.badInput, "job \(id) was deleted while waiting for it")
            }
            return try printer.finish(job)
        }
        try printer.endLine()
    }
}

/// Prints the pieces of an answer as they come, as fit for a terminal as `result` prints the whole.
struct StreamPrinter {
    private var output = Output()
    /// What was printed of the answer, as it came.
    private var printed = ""
    /// Which attempt's text it is.
    private var token: Int64?

    /// Prints what is new. Where another attempt began, its text begins on a new line.
    mutating func show(_ page: StreamPage) throws {
        if let next = page.token, next != token {
            try startOver("a new attempt started; the answer starts over")
            token = next
        }
        for piece in page.chunks { try add(piece) }
        try output.flush()
    }

    /// Prints what is left of the answer of a job that is final.
    ///
    /// - Throws: If the job did not complete, with exit code 1.
    mutating func finish(_ job: Job) throws {
        guard job.state == .completed else {
            try endLine()
            return try JobFailure.check(job)
        }
        if let text = job.result?.text, text.utf8.starts(with: printed.utf8) {
            try add(String(decoding: text.utf8.dropFirst(printed.utf8.count), as: UTF8.self))
            try output.line()
        } else {
            try startOver("the final answer differs from the text streamed so far")
            try output.lines(JobAnswer.lines(job))
        }
        try output.flush()
    }

    /// Ends a line that was begun.
    mutating func endLine() throws {
        if !printed.isEmpty, !printed.hasSuffix("\n") { try output.line() }
        try output.flush()
    }

    private mutating func add(_ piece: String) throws {
        printed += piece
        try output.text(DisplayText.lines(piece))
    }

    private mutating func startOver(_ sentence: String) throws {
        guard !printed.isEmpty else { return }
        try endLine()
        Diagnostics.say(sentence)
        printed = ""
    }
}
