import ArgumentParser
import JobModel
import QueueStore

/// How many jobs are in each state, and whether the database is sound.
struct Summary: AsyncParsableCommand {
    @OptionGroup var store: StoreOptionsGroup

    func run() async throws {
        let store = try store.open()
        let statistics = try store.statistics()
        let faults = try store.check().faults
        store.close()
        Figures.report([
            "completed": .integer(Int64(statistics.count(.completed))), "available": .integer(Int64(statistics.count(.available))),
            "running": .integer(Int64(statistics.count(.running))), "calls": .integer(Int64(statistics.lanes.reduce(0) { $0 + $1.calls })),
            "faults": .array(faults.map { .string($0) }),
        ])
    }
}
