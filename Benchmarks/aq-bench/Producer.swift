import ArgumentParser
import CPlatform
import JobModel
import QueueStore

/// Enqueues jobs one by one from several tasks, as a program would; with `--interval`, one at a time with pauses, printing
/// the time of each commit.
struct Producer: AsyncParsableCommand {
    @OptionGroup var store: StoreOptionsGroup
    @Option var jobs = 10_000
    @Option var tasks = 64
    @Option(help: "Pause before each job, in ms: at random between this and twice this.") var interval: Int?

    func run() async throws {
        let store = try store.open()
        if let interval {
            for number in 0..<jobs {
                try await Task.sleep(for: .milliseconds(Int.random(in: interval...2 * interval)))
                let receipt = try await store.enqueue(BenchJobs.make(number))
                Figures.line("P \(receipt.id) \(platform_monotonic_ns())")
            }
        } else {
            let tickets = Tickets(jobs)
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
    }
}
