import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue cache stats`
struct CacheStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show how large the cache is, and how often it answers.",
        discussion: """
              agent-queue cache stats
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let cache = try store.cacheStatistics()
            var output = Output()
            if format.json {
                try output.json(StatsJSON.cache(cache))
            } else {
                var sheet = Sheet()
                sheet.add("answers", Figures.count(cache.entries))
                sheet.add("size", Figures.bytes(cache.bytes))
                let asked = cache.hits + cache.misses
                let share = asked > 0 ? " (\(Figures.decimal(100 * Double(cache.hits) / Double(asked), places: 1)) % of all)" : ""
                sheet.add("hits", Figures.count(cache.hits) + share)
                sheet.add("misses", Figures.count(cache.misses))
                sheet.add("kept for", DurationText.format(session.settings.cache.ttl))
                try output.lines(sheet.lines)
            }
            try output.flush()
        }
    }
}
