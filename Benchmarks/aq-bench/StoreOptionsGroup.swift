import ArgumentParser
import QueueStore

/// Where the database is, and how durable.
struct StoreOptionsGroup: ParsableArguments {
    @Argument(help: "The database.") var database: String
    @Option(help: "full or normal.") var durability: String = "full"

    func open() throws -> QueueStore {
        try QueueStore(path: database, options: StoreOptions(durability: Durability(rawValue: durability) ?? .full))
    }
}
