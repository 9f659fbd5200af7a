import ArgumentParser
import JobModel
import QueueStore

/// Single enqueues from many tasks at once: what group commit is worth.
struct EnqueueBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "enqueue")
    @OptionGroup var store: StoreOptionsGroup
    @Option var tasks = 64
    @Option var jobs = 60_000

    func run() async throws {
        let store = try store.open()
        let tickets = Tickets(jobs)
        let jobs = jobs
        let seconds = try await Figures.seconds {
            try await withThrowingTaskGroup { group in
                for _ in 0..<tasks {
                    group.addTask {
                        while let number = tickets.take() {
                            _ = try await store.enqueue(BenchJobs.make(number))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        store.close()
        Figures.report(["n": .integer(Int64(jobs)), "secs": .double(seconds), "per_s": .double((Double(jobs) / seconds).rounded())])
    }
}
