import AgentQueueModel
import AgentQueueProviders
import AgentQueueStore
import AgentQueueWorker
import ArgumentParser
import CAgentQueue
import Logging

/// The table of the system that this one succeeds: its four kinds of work, with its delays, through the real queue, worker and
/// provider, each job enqueued and settled on the disk.
///
/// The delays are a server's (`aq-bench serve`), so that nothing here waits but for an answer.
struct PredecessorBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "predecessor")
    @OptionGroup var store: StoreOptionsGroup
    @Option(help: "Where `aq-bench serve` is, as in http://127.0.0.1:8080.") var url: String
    @Option var concurrency = 40
    @Flag(help: "One job at a time, each with a call of its own, as ENABLE_ASYNC=false has it.") var sequential = false

    /// One kind of the predecessor's work.
    private struct Phase {
        var name: String
        var kind: JobKind
        var jobs: Int
        /// How long the server takes for each, in ms.
        var delay: Int

        static let all = [
            Phase(name: "lookups", kind: .generate, jobs: 10, delay: 100), Phase(name: "requests", kind: .generate, jobs: 5, delay: 500),
            Phase(name: "calls", kind: .generate, jobs: 5, delay: 800), Phase(name: "items", kind: .embed, jobs: 20, delay: 50),
        ]
    }

    func run() async throws {
        let store = try store.open()
        let transport = HTTPTransport(HTTPTransport.Configuration())
        let providers = Phase.all.map { phase in
            OpenAIProvider(name: phase.name, baseURL: "\(url)/delay/\(phase.delay)/v1", apiKey: nil, transport: transport)
        }
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        var configuration = WorkerConfiguration(concurrency: sequential ? 1 : concurrency)
        if sequential {
            configuration.batchSize = 1
            configuration.coalesces = false
        }
        let worker = Worker(store: store, providers: providers, configuration: configuration, logger: logger)
        let upkeep = Maintainer(store: store, logger: logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await upkeep.run() }
            group.addTask { try await worker.run() }
            while try store.maintenance.workers().isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            try await measure(store, providers)
            group.cancelAll()
        }
        try await transport.shutdown()
        store.close()
    }

    private func measure(_ store: QueueStore, _ providers: [OpenAIProvider]) async throws {
        var report: [JSONValue.Member] = []
        var sum = 0.0
        for (phase, provider) in zip(Phase.all, providers) {
            let seconds = try await time(jobs(of: phase, provider, round: "alone"), in: store)
            report.append(.init(phase.name, .double(seconds)))
            sum += seconds
        }
        report.append(.init("sum", .double(sum)))
        if !sequential {
            let all = zip(Phase.all, providers).flatMap { jobs(of: $0, $1, round: "together") }
            report.append(.init("together", .double(try await time(all, in: store))))
            report.append(.init("again", .double(try await time(all, in: store, by: .cache))))
        }
        print(JSONValue.object(report).text)
    }

    private func jobs(of phase: Phase, _ provider: OpenAIProvider, round: String) -> [NewJob] {
        (0..<phase.jobs).map { number in
            let text = JSONValue.string("\(phase.name) \(number) \(round)")
            let request = ModelRequest(
                kind: phase.kind, target: Target(provider: phase.name, model: "m"),
                body: phase.kind == .embed ? ["input": [text]] : ["messages": [["role": "user", "content": text]]])
            let (body, digest) = request.sealed(identity: provider.identity)
            return NewJob(kind: phase.kind, target: request.target, body: body, digest: digest)
        }
    }

    /// Seconds from the first enqueue to the end of the last job.
    /// - Parameter origin: what must have answered each; nil is any.
    private func time(_ jobs: [NewJob], in store: QueueStore, by origin: AnsweredBy? = nil) async throws -> Double {
        var ids: [Int64] = []
        let seconds = try await Figures.seconds {
            ids = try await withThrowingTaskGroup(of: Int64.self) { group in
                for job in jobs { group.addTask { try await store.jobs.enqueue(job).id } }
                var ids: [Int64] = []
                for try await id in group { ids.append(id) }
                return ids
            }
            for await _ in store.changes(of: .done) where try store.jobs.states(of: ids).values.allSatisfy(\.isFinal) { break }
        }
        for id in ids {
            guard let result = try store.jobs.get(id)?.result, origin == nil || result.answeredBy == origin else {
                throw ValidationError("job \(id) was not answered as it should: \(try store.jobs.get(id)?.errors ?? [])")
            }
        }
        return seconds
    }
}
