import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings

/// The details of a job.
struct JobDetailView {
    private let job: Job
    private let timeline: JobTimeline
    private let obstacles: [String]
    private let wait: String?
    private let now: Int64

    /// - Parameters:
    ///   - obstacles: Why it is not called; empty if nothing prevents it.
    ///   - wait: What a pending job is waiting for.
    init(_ job: Job, _ timeline: JobTimeline, obstacles: [String], waitsFor wait: String?, now: Int64) {
        self.job = job
        self.timeline = timeline
        self.obstacles = obstacles
        self.wait = wait
        self.now = now
    }

    var lines: [String] {
        [facts.lines, events, request(job.request, "Request"), timeline.sent.map { request($0, "Sent") } ?? [], errors, partial, answer]
            .filter {
                !$0.isEmpty
            }.joined(separator: [""]).map(\.self)
    }

    private var facts: DetailView {
        var sheet = DetailView()
        sheet.add("id", "\(job.id)")
        sheet.add("custom id", job.customID.map { DisplayText.line($0) })
        sheet.add("state", job.state.displayName, Style.of(job.state))
        sheet.add("blocked by", obstacles.isEmpty ? nil : DisplayText.line(obstacles.joined(separator: "; ")), .warning)
        sheet.add("waiting for", wait)
        sheet.add("kind", job.kind.rawValue)
        sheet.add("queue", DisplayText.line(job.queue))
        sheet.add("model", DisplayText.line(job.target.description))
        sheet.add("priority", "\(job.priority)")
        sheet.add("attempts", "\(job.attempt) of \(job.maxAttempts)")
        sheet.add("worker", job.worker.map { "\($0.id), process \($0.pid)" })
        sheet.add("created", Figures.time(job.createdAt, now: now))
        if !job.state.isFinal, job.scheduledAt > job.createdAt { sheet.add("not before", Figures.time(job.scheduledAt, now: now)) }
        sheet.add("started", job.attemptedAt.map { Figures.time($0, now: now) })
        sheet.add("finished", job.finalizedAt.map { Figures.time($0, now: now) })
        sheet.add("expires", job.expiresAt.map { Figures.time($0, now: now) })
        sheet.add("cancel requested", job.cancelRequestedAt.map { Figures.time($0, now: now) })
        sheet.add("timeout", job.timeout.map { DurationText.format(.milliseconds($0)) })
        sheet.add("batch API", job.usesBatchAPI ? "yes" : nil)
        sheet.add("deadline", job.deadline.map { Figures.time($0, now: now) })
        sheet.add("budget", job.budget.map { "\(Figures.money($0))\(job.batch == nil ? "" : " for the batch")" })
        sheet.add("failed attempts", failedCost)
        sheet.add("batch", job.batch.map { DisplayText.line($0) })
        sheet.add("run", job.runID.map { "\($0)" })
        sheet.add("step", job.step.map { DisplayText.line($0) })
        sheet.add("tags", job.tags.isEmpty ? nil : DisplayText.line(job.tags.joined(separator: ", ")))
        sheet.add("unique key", job.uniqueKey.map { DisplayText.line($0) })
        sheet.add("after", job.after.isEmpty ? nil : job.after.map(String.init).joined(separator: ", "))
        sheet.add("metadata", job.metadata.map { JSONText.text($0) })
        sheet.add("cache TTL", job.cacheTimeToLive.map { DurationText.format(.milliseconds($0)) })
        let key = job.useCache ? "key \(Hexadecimal.text(job.digest))" : "on"
        sheet.add("cache", job.usesCache ? key : "off")
        return sheet
    }

    private var events: [String] { section("Timeline (UTC)", timeline.lines.map { "  \($0)" }) }

    private func request(_ request: JSONValue, _ title: String) -> [String] {
        var lines: [String] = []
        for member in request.members ?? [] where member.key != "messages" && member.key != "input" {
            lines.append("  \(DisplayText.line(member.key)): \(JSONText.text(member.value))")
        }
        for message in request["messages"]?.array ?? [] {
            lines.append("  \(DisplayText.line(message["role"]?.string ?? "?")):")
            lines += indented(message["content"]?.string ?? JSONText.text(message["content"] ?? .null))
        }
        for input in request["input"]?.array ?? [] { lines += indented(input.string ?? JSONText.text(input)) }
        return section(title, lines)
    }

    private var errors: [String] {
        let lines = job.errors.map { error in
            let place = error.attempt > 0 ? "attempt \(error.attempt), " : ""
            let failure = Style.apply(.bad, to: error.failure.rawValue, on: .output)
            return "  \(place)\(Figures.time(error.at, now: now))\(circumstances(error)): \(failure): \(DisplayText.line(error.message))"
        }
        return section("Errors", lines)
    }

    /// The target of the call, if it is not the job's own, and the cost.
    private func circumstances(_ error: JobError) -> String {
        let target = error.target.flatMap { $0 == job.target.description ? nil : ", \(DisplayText.line($0))" }
        return (target ?? "") + (error.cost.map { $0 > 0 ? ", \(Figures.money($0))" : "" } ?? ", cost unknown")
    }

    /// What its failed attempts may have cost; nil if they cost nothing.
    private var failedCost: String? {
        let known = job.errors.compactMap(\.cost).reduce(0, +)
        let unpriced = job.errors.count { $0.cost == nil }
        guard known > 0 else { return unpriced > 0 ? "cost unknown" : nil }
        return "cost up to \(Figures.money(known))" + (unpriced > 0 ? " and \(Figures.count(unpriced, "attempt")) of unknown price" : "")
    }

    /// The part of an unfinished answer that arrived.
    private var partial: [String] {
        guard let error = job.errors.last(where: { $0.partialText != nil }), let text = error.partialText else { return [] }
        return section("Partial answer of attempt \(error.attempt)", indented(text))
    }

    private var answer: [String] {
        guard let result = job.result else { return [] }
        var sheet = DetailView()
        sheet.add("answered by", "\(Self.source(result.answeredBy)) (\(DisplayText.line(result.target)))")
        if let near = result.reply["semantic"], let entry = near["entry"]?.string, let score = near["score"]?.number {
            sheet.add("similar prompt", "score \(score), cache entry \(DisplayText.line(entry))")
        }
        if let recalled = result.reply["recalled"]?.array { sheet.add("recalled", Self.recalled(recalled)) }
        if let next = result.reply["next_jobs"]?.array { sheet.add("next jobs", numbers(next, of: "job")) }
        if let memories = result.reply["memory_ids"]?.array { sheet.add("stored", remembered(memories, result.reply["outcomes"])) }
        sheet.add("duration", result.latency > 0 ? Figures.duration(milliseconds: result.latency) : nil)
        sheet.add("tokens", "\(Figures.count(result.usage.inputTokens)) in, \(Figures.count(result.usage.outputTokens)) out")
        sheet.add("cost", Figures.money(result.cost))
        sheet.add("calls", result.reply["calls"]?.int.map { Figures.count($0) })
        sheet.add("finish reason", result.reply["finish_reason"]?.string.map { DisplayText.line($0) })
        var lines = sheet.lines.map { "  \($0)" }
        if let text = result.reply["text"]?.string {
            lines += [""] + indented(text)
        } else {
            lines += ["", "    \(JobPreview.answer(job))"]
        }
        return section("Result", lines)
    }

    /// The memories in the prompt, nearest first.
    private static func recalled(_ memories: [JSONValue]) -> String {
        guard !memories.isEmpty else { return "nothing" }
        return memories.map { memory in
            let score = memory["score"]?.number.map { " (score \($0))" } ?? ""
            return "memory \(memory["id"]?.int ?? 0)\(score)"
        }.joined(separator: ", ")
    }

    private func remembered(_ ids: [JSONValue], _ outcomes: JSONValue?) -> String {
        zip(ids, outcomes?.array ?? []).map { "memory \($0.int ?? 0) (\(DisplayText.line($1.string ?? "?")))" }.joined(separator: ", ")
    }

    private func numbers(_ numbers: [JSONValue], of thing: String) -> String {
        numbers.map { "\(thing) \($0.int ?? 0)" }.joined(separator: ", ")
    }

    private static func source(_ source: AnsweredBy) -> String {
        source == .coalesced ? "coalesced (shared the call of an identical job)" : source.rawValue
    }

    private func section(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? [] : [Style.apply(.bold, to: title, on: .output)] + lines
    }

    private func indented(_ text: String) -> [String] {
        DisplayText.lines(text).split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
    }
}
