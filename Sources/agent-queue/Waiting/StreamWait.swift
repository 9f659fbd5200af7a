import AgentQueueModel
import AgentQueueReports
import AgentQueueStore

/// Prints an answer as it arrives and waits for the job to finish.
struct StreamWait {
    let id: Int64
    /// Nil waits forever.
    let timeout: Duration?
    let session: Session
    /// Whether this process runs the job itself.
    var runsHere = false

    /// - Throws: `CommandFailure` if the job does not exist or does not complete, or on timeout.
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
            // A call that is already running is not streamed; the next one is.
            try await store.jobs.requestStream(of: id)
        }
        var sequence: Int64 = 0
        var hints = WaitHints(session, store)
        hints.runsHere = runsHere
        for await _ in store.changes(of: .done) {
            // Read before the text: once the state is final, the pieces are removed.
            let isFinal = try store.jobs.states(of: [id])[id]?.isFinal ?? true
            let page = try store.jobs.stream(of: id, after: sequence)
            try printer.show(page)
            sequence = page.lastSequence
            guard isFinal else {
                try await hints.say({ try printer.endLine() }, about: { [try store.jobs.get(id)].compactMap(\.self) })
                continue
            }
            guard let job = try store.jobs.get(id) else {
                try printer.endLine()
                throw CommandFailure(.badInput, "job \(id) was deleted while waiting for it")
            }
            return try printer.finish(job)
        }
        try printer.endLine()
    }
}

/// Prints the pieces of an answer, escaped as `result` escapes the whole.
struct StreamPrinter {
    private var output = Output()
    /// The text printed so far, unescaped.
    private var printed = ""
    /// The attempt that it belongs to.
    private var token: Int64?

    /// Prints new pieces. The text of a new attempt starts on a new line.
    mutating func show(_ page: StreamPage) throws {
        if let next = page.token, next != token {
            try startOver("a new attempt started; the answer starts over")
            token = next
        }
        for piece in page.chunks { try add(piece) }
        try output.flush()
    }

    /// Prints the rest of the answer of a finished job.
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

    /// Ends the current line, if one was started.
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
