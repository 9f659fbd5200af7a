import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue cache why`
struct CacheWhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Show what makes two jobs' requests differ.",
        discussion: """
            An answer serves from the cache for requests that are the same to the letter: target, messages, parameters, schema and \
            sample. This names each place where two are not, with a hint at what changes from run to run. Of two that are the same \
            it says why the later was not answered from the cache.

              agent-queue cache why 17 18
            """)

    @Argument(help: ArgumentHelp("A job's number.", valueName: "id"))
    var first: Int64

    @Argument(help: ArgumentHelp("Another's.", valueName: "other-id"))
    var second: Int64

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if first == second { throw ValidationError("give two different jobs") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let a = try store.job(first) else { throw JobFailure.notFound(first) }
            guard let b = try store.job(second) else { throw JobFailure.notFound(second) }
            let identity = session.settings.intakeContext(now: Now.milliseconds).identity
            let comparison = RequestComparison(.init(a, identity), .init(b, identity))
            let (earlier, later) = a.id < b.id ? (a, b) : (b, a)
            let reason =
                comparison.isSame
                ? CacheReason.sentence(
                    earlier: earlier, later: later, entry: try store.cacheEntries(digestPrefix: Hexadecimal.text(a.digest)).first) : nil
            var output = Output()
            if format.json {
                try output.json(
                    .object([
                        .init("same", .bool(comparison.isSame)), .init("differences", .array(comparison.differences.map(\.json))),
                        .init("reason", JobJSON.string(reason)),
                    ]))
            } else {
                if let reason { try output.line("the requests are the same; \(DisplayText.line(reason))") }
                try output.lines(table(comparison.differences))
            }
            try output.flush()
        }
    }

    private func table(_ differences: [RequestDifference]) -> [String] {
        guard !differences.isEmpty else { return [] }
        var table = Table([
            Column("WHERE", leastWidth: 12), Column("JOB \(first)", leastWidth: 12), Column("JOB \(second)", leastWidth: 12),
            Column("FROM CHARACTER", isNumber: true), Column("HINT"),
        ])
        for difference in differences {
            table.add([
                Cell(DisplayText.line(difference.path), .bold), Cell(Self.shown(difference.a)), Cell(Self.shown(difference.b)),
                Cell(difference.character.map { Figures.count($0) } ?? ""), Cell(difference.hint?.rawValue ?? "", .warning),
            ])
        }
        var lines = table.takeLines()
        if differences.count >= RequestComparison.most { lines.append("(and perhaps more)") }
        return lines
    }

    private static func shown(_ value: JSONValue?) -> String {
        guard let value else { return "(nothing)" }
        return value.string.map { DisplayText.line($0) } ?? JSONText.text(value)
    }
}

extension RequestComparison.Side {
    /// - Parameter identity: who answers for a provider, as configured now.
    fileprivate init(_ job: Job, _ identity: (String) -> String?) {
        let request = ModelRequest(kind: job.kind, target: job.target, body: job.request)
        let current = identity(job.target.provider)
        self.init(
            kind: job.kind, target: job.target, body: job.request, digest: job.digest, usesCache: job.useCache,
            identity: current.flatMap { request.digest(identity: $0) == job.digest ? $0 : nil })
    }
}
