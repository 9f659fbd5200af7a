import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Foundation

// MARK: Adding jobs

extension JobQueue {
    /// Adds a job that asks one question.
    /// - Parameters:
    ///   - prompt: the user's message.
    ///   - model: `provider/model`; nil is the configured default.
    /// - Throws: `InputError`, `StoreError`.
    @discardableResult
    public func enqueue(_ prompt: String, model: String? = nil) async throws -> Enqueued {
        var draft = JobDraft()
        draft.prompt = prompt
        draft.model = model
        return try await enqueue(draft)
    }

    /// Adds a job. It is durable when this returns, not before.
    /// - Throws: `InputError`, `StoreError`.
    @discardableResult
    public func enqueue(_ draft: JobDraft) async throws -> Enqueued {
        let added = try await store.jobs.enqueue(draft.validated(in: context))
        if let batch = draft.batch { try await watch(batch, draft.onBatchFinish, onFailure: draft.onBatchFailure) }
        return added
    }

    /// Adds several jobs. All are checked before the first is added.
    /// - Returns: the outcome for each draft, in the same order.
    /// - Throws: `InputError` with the draft's number, before any is added; `StoreError`. Jobs are added in transactions of a thousand,
    ///   and those already committed stay.
    @discardableResult
    public func enqueue(_ drafts: [JobDraft]) async throws -> [Enqueued] {
        let context = context
        let jobs = try drafts.enumerated().map { index, draft in
            do throws(InputError) {
                return try draft.validated(in: context)
            } catch {
                throw InputError("job \(index + 1): \(error.message); nothing was added", kind: error.kind)
            }
        }
        var added: [Enqueued] = []
        added.reserveCapacity(jobs.count)
        for start in stride(from: 0, to: jobs.count, by: 1_000) {
            added += try await store.jobs.enqueue(Array(jobs[start..<min(start + 1_000, jobs.count)]))
        }
        var told: [ExactText: (finish: [String], failure: [String])] = [:]
        for draft in drafts {
            guard let batch = draft.batch else { continue }
            told[ExactText(batch), default: ([], [])].finish += draft.onBatchFinish
            told[ExactText(batch), default: ([], [])].failure += draft.onBatchFailure
        }
        for (batch, names) in told { try await watch(batch.text, names.finish, onFailure: names.failure) }
        return added
    }

    /// Adds a job for each line of a JSONL file, in AgentQueue's own format or that of OpenAI's or Anthropic's batches. Every line is
    /// checked before the first job is added. Memory use does not depend on the length of the file.
    /// - Parameters:
    ///   - path: the file.
    ///   - name: a name for this import. Importing the same file under the same name again continues where the last import stopped, and
    ///     adds nothing twice.
    ///   - batch: the batch of jobs whose lines name none.
    ///   - model: the target of jobs whose lines name none.
    ///   - provider: the provider that lines in OpenAI's or Anthropic's batch form go to. By default `openai` and `anthropic`.
    ///   - progress: receives the number of lines done and the total.
    /// - Returns: the number of jobs added by this call.
    /// - Throws: `InputError` with the number of an invalid line; `StoreError`. Jobs that were added before a `StoreError` stay.
    @discardableResult
    public func enqueue(
        contentsOf path: String, named name: String? = nil, batch: String? = nil, model: String? = nil, provider: String? = nil,
        progress: (@Sendable (_ lines: Int, _ total: Int) -> Void)? = nil
    ) async throws -> Int {
        let folder = settings.database.lastIndex(of: "/").map { String(settings.database[..<$0]) }
        var defaults = JobDraft()
        defaults.batch = batch
        defaults.model = model
        let jobs = try BulkEnqueue(
            input: try BulkInput(path: path, spoolFolder: folder), defaults: defaults, context: context, provider: provider)
        let ingest = try name.map { try BulkIngest($0, in: store) }
        let survey = try await jobs.check(ingest: ingest)
        let resumeAfter = try ingest?.linesDone(of: survey) ?? 0
        return try await jobs.add(survey, after: resumeAfter, progress: progress) { [store] slice, lastLine in
            _ = try await store.jobs.enqueue(slice, ingest: ingest?.checkpoint(survey, upTo: lastLine))
        }
    }

    private func watch(_ batch: String, _ notifications: [String], onFailure: [String]) async throws {
        guard !notifications.isEmpty || !onFailure.isEmpty else { return }
        _ = try await store.notifications.watch(batch: batch, tell: notifications, onFailure: onFailure)
    }
}

// MARK: Reading jobs

extension JobQueue {
    /// Returns a job with its result or its errors; nil if there is no job with that id, or no longer.
    /// - Throws: `StoreError`.
    public func job(_ id: Int64) throws -> Job? { try store.jobs.get(id) }

    /// Returns jobs, newest first.
    /// - Parameters:
    ///   - filter: which jobs; an empty filter matches all.
    ///   - limit: the maximum number of jobs.
    ///   - id: only jobs with smaller ids; nil starts with the newest.
    /// - Throws: `StoreError`.
    public func jobs(_ filter: JobFilter = JobFilter(), limit: Int = 100, before id: Int64? = nil) throws -> [Job] {
        try store.jobs.list(filter, limit: limit, before: id)
    }

    /// Waits until a job has ended, and returns it with its result or its errors. There is no time limit; cancel the task to stop waiting.
    /// - Throws: `StoreError`, also if there is no such job; the error that ended this queue's own worker; `CancellationError`.
    public func finish(_ id: Int64) async throws -> Job {
        for await _ in store.changes(of: .done) {
            guard let state = try store.jobs.states(of: [id])[id] else { throw StoreError(.notFound, "there is no job \(id)") }
            if state.isFinal, let job = try store.jobs.get(id) { return job }
            try ownWorkers.check()
        }
        throw CancellationError()
    }

    /// Waits for a job's answer.
    /// - Throws: `JobFailed` if the job ended without one; the errors of ``finish(_:)``.
    public func answer(to id: Int64) async throws -> String { try await result(of: id).text ?? "" }

    /// Waits for a job's answer and decodes it: a `String` is the text itself, any other type is read as JSON.
    /// - Throws: `JobFailed` if the job ended without an answer; `DecodingError` if the answer does not fit the type; the errors of
    ///   ``finish(_:)``.
    public func value<Value: Decodable>(of id: Int64, as type: Value.Type = Value.self) async throws -> Value {
        try await result(of: id).value()
    }

    private func result(of id: Int64) async throws -> JobResult {
        let job = try await finish(id)
        guard job.state == .completed, let result = job.result else { throw JobFailed(job) }
        return result
    }

    /// Streams a job's answer while it is written, whichever process runs the job. The stream ends with the job.
    ///
    /// Throws `JobFailed` if the job ends without an answer, and the errors of ``finish(_:)``.
    public func text(of id: Int64) -> AsyncThrowingStream<StreamedText, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await follow(id) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func follow(_ id: Int64, _ body: (StreamedText) -> Void) async throws {
        // A call that is already in progress still returns its answer whole; the next call is streamed.
        try await store.jobs.requestStream(of: id)
        var (sequence, edition, shown) = (Int64(0), Int64?.none, "")
        for await _ in store.changes(of: .done) {
            // Read the state before the text: once it is final, no more pieces follow.
            guard let state = try store.jobs.states(of: [id])[id] else { throw StoreError(.notFound, "there is no job \(id)") }
            let page = try store.jobs.stream(of: id, after: sequence)
            sequence = page.lastSequence
            if let next = page.token, next != edition {
                if !shown.isEmpty { body(.restart) }
                (edition, shown) = (next, "")
            }
            for piece in page.chunks {
                shown += piece
                body(.piece(piece))
            }
            guard state.isFinal, let job = try store.jobs.get(id) else {
                try ownWorkers.check()
                continue
            }
            guard job.state == .completed, let text = job.result?.text else { throw JobFailed(job) }
            if !text.utf8.starts(with: shown.utf8) {
                body(.restart)
                shown = ""
            }
            let rest = String(decoding: text.utf8.dropFirst(shown.utf8.count), as: UTF8.self)
            if !rest.isEmpty { body(.piece(rest)) }
            return
        }
        throw CancellationError()
    }
}

/// A part of an answer that is being written.
public enum StreamedText: Sendable, Equatable {
    /// More of the text.
    case piece(String)
    /// The answer starts over, for example in another attempt. Discard the text received so far.
    case restart
}

// MARK: Changing jobs

extension JobQueue {
    /// Cancels jobs. Waiting jobs end at once; running jobs are stopped within a second, in whichever process they run.
    /// - Throws: `StoreError`.
    @discardableResult
    public func cancel(_ ids: Int64...) async throws -> [JobChange] { try await store.jobs.cancel(ids: ids) }

    /// Cancels every job that matches a filter and has not ended. Returns the number of jobs.
    /// - Throws: `StoreError`.
    @discardableResult
    public func cancel(where filter: JobFilter) async throws -> Int { try await store.jobs.cancel(where: filter) }

    /// Retries cancelled and failed jobs, starting again at the first attempt. Jobs that were cancelled because of them wait for them
    /// again.
    /// - Throws: `StoreError`.
    @discardableResult
    public func retry(_ ids: Int64...) async throws -> [JobChange] { try await store.jobs.retry(ids: ids) }

    /// Retries every cancelled or failed job that matches a filter. Returns the number of jobs.
    /// - Throws: `StoreError`.
    @discardableResult
    public func retry(where filter: JobFilter) async throws -> Int { try await store.jobs.retry(where: filter) }

    /// Deletes jobs that have ended, with their results, unless other jobs still need them.
    /// - Throws: `StoreError`.
    @discardableResult
    public func delete(_ ids: Int64...) async throws -> [JobChange] { try await store.jobs.delete(ids: ids) }

    /// Deletes every job that matches a filter and has ended. Returns the number of jobs.
    /// - Throws: `StoreError`.
    @discardableResult
    public func delete(where filter: JobFilter) async throws -> Int { try await store.jobs.delete(where: filter) }

    /// Removes jobs, runs, cached answers and memories that have outlived the configured `retention`. Safe while workers are running.
    /// - Returns: the total number of removed items.
    /// - Throws: `StoreError`.
    @discardableResult
    public func prune() async throws -> Int {
        let report = try await store.maintenance.prune(settings.prunePolicy)
        return report.jobs + report.runs + report.cacheEntries + report.memories
    }
}
