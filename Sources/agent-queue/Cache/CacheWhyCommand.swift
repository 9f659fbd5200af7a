import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue cache why`
struct CacheWhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Explain why two jobs do not share a cached answer.",
        discussion: """
            The cache answers requests that are exactly equal: model, messages, parameters, schema and sample. Lists every difference \
            between two requests, with a hint where the text looks like a time or a random ID. For equal requests, explains why the \
            later job was not answered from the cache.

              agent-queue cache why 17 18
            """)

    @Argument(help: ArgumentHelp("Job ID.", valueName: "id"))
    var first: Int64

    @Argument(help: ArgumentHelp("ID of the other job.", valueName: "other-id"))
    var second: Int64

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if first == second { throw ValidationError("give two different job IDs") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let a = try store.jobs.get(first) else { throw JobFailure.notFound(first) }
            guard let b = try store.jobs.get(second) else { throw JobFailure.notFound(second) }
            let identity = session.settings.intakeContext(now: Now.milliseconds).identity
            let comparison = RequestComparison(.init(a, identity), .init(b, identity))
            let (earlier, later) = a.id < b.id ? (a, b) : (b, a)
            let reason =
                comparison.isSame
                ? CacheReason.sentence(
                    earlier: earlier, later: later, entry: try store.cache.entries(digestPrefix: Hexadecimal.text(a.digest)).first) : nil
            var output = Output()
            if format.json {
                try output.json(
                    .object([
                        .init("same", .bool(comparison.isSame)), .init("differences", .array(comparison.differences.map(\.json))),
                        .init("reason", JobJSON.string(reason)),
                    ]))
            } else {
                if let reason { try output.line("the requests are equal: \(DisplayText.line(reason))") }
                try output.lines(table(comparison.differences))
            }
            try output.flush()
        }
    }

    private func table(_ differences: [RequestDifference]) -> [String] {
        guard !differences.isEmpty else { return [] }
        var table = Table([
            Column("WHERE", .text, leastWidth: 12), Column("JOB \(first)", leastWidth: 12), Column("JOB \(second)", leastWidth: 12),
            Column("AT CHARACTER", isNumber: true), Column("HINT", .text),
        ])
        for difference in differences {
            table.add([
                Cell(DisplayText.line(difference.path), .bold), Cell(Self.shown(difference.a)), Cell(Self.shown(difference.b)),
                Cell(difference.character.map { Figures.count($0) } ?? ""), Cell(difference.hint?.rawValue ?? "", .warning),
            ])
        }
        var lines = table.takeLines()
        if differences.count >= RequestComparison.most { lines.append("(there may be more)") }
        return lines
    }

    private static func shown(_ value: JSONValue?) -> String {
        guard let value else { return "(none)" }
        return value.string.map { DisplayText.line($0) } ?? JSONText.text(value)
    }
}

extension RequestComparison.Side {
    /// - Parameter identity: The identity of a provider as configured now.
    fileprivate init(_ job: Job, _ identity: (String) -> String?) {
        let request = ModelRequest(kind: job.kind, target: job.target, body: job.request)
        let current = identity(job.target.provider)
        self.init(
            kind: job.kind, target: job.target, body: job.request, digest: job.digest, usesCache: job.useCache,
            identity: current.flatMap { request.digest(identity: $0) == job.digest ? $0 : nil })
    }
}
