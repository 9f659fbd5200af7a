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
            Hits are jobs that it answered, misses those that it might have answered and that were called for; coalesced jobs were \
            answered by the call of an identical one. Evictions are answers that `prune` removed before their time, because the cache \
            was larger than `cache.max_bytes`.

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
                sheet.add("coalesced", Figures.count(cache.coalesced, "job") + " by the calls of identical ones")
                sheet.add("saved", Figures.money(cache.saved))
                sheet.add("evictions", Figures.count(cache.evictions))
                sheet.add("kept for", DurationText.format(session.settings.cache.ttl))
                try output.lines(sheet.lines)
            }
            try output.flush()
        }
    }
}
