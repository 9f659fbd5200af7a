import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue cache`
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Inspect, warm and clear the response cache.",
        discussion: """
              agent-queue cache stats
            """,
        subcommands: [
            CacheStatsCommand.self, CacheListCommand.self, CacheGetCommand.self, CacheDeleteCommand.self, CacheClearCommand.self,
            CacheWarmCommand.self, CacheWhyCommand.self,
        ])
}

/// `agent-queue cache stats`
struct CacheStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show cache size and hit rate.",
        discussion: """
            A hit is a job answered from the cache; a miss is a job that used the cache but needed a call. A coalesced job shared the \
            call of an identical job. An eviction is an entry that `prune` removed before it expired because the cache exceeded \
            `cache.max_bytes`.

              agent-queue cache stats
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let cache = try store.cache.statistics()
            var output = Output()
            if format.json {
                try output.json(StatsJSON.cache(cache))
            } else {
                var sheet = DetailView()
                sheet.add("answers", Figures.count(cache.entries))
                sheet.add("size", Figures.bytes(cache.bytes))
                let asked = cache.hits + cache.misses
                let share = asked > 0 ? " (\(Figures.decimal(100 * Double(cache.hits) / Double(asked), places: 1))%)" : ""
                sheet.add("hits", Figures.count(cache.hits) + share)
                sheet.add("misses", Figures.count(cache.misses))
                sheet.add("coalesced", Figures.count(cache.coalesced, "job") + " shared the call of an identical job")
                sheet.add("saved", Figures.money(cache.saved))
                sheet.add("evictions", Figures.count(cache.evictions))
                sheet.add("TTL", DurationText.format(session.settings.cache.ttl))
                try output.lines(sheet.lines)
            }
            try output.flush()
        }
    }
}

/// `agent-queue cache list`
struct CacheListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List cache entries, most recently used first.",
        discussion: """
              agent-queue cache list --limit 10
            """)

    @OptionGroup var limit: LimitOption

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let now = Now.milliseconds
            var listing = Listing(
                format,
                [
                    Column("DIGEST", .fixed), Column("TARGET"), Column("HITS", isNumber: true), Column("SIZE", isNumber: true),
                    Column("USED", .fixed),
                    Column("EXPIRES", .fixed), Column("ANSWER", .text, leastWidth: 12),
                ])
            for entry in try store.cache.entries(limit: limit.count) {
                try listing.add(
                    CacheJSON.entry(entry, withReply: false),
                    row: [
                        Cell(String(Hexadecimal.text(entry.digest).prefix(12))), Cell(DisplayText.line(entry.target)),
                        Cell(Figures.count(entry.hits)), Cell(Figures.bytes(entry.bytes)),
                        Cell(Figures.relative(entry.lastUsedAt, now: now)), Cell(Figures.relative(entry.expiresAt, now: now)),
                        Cell(Self.preview(entry)),
                    ])
            }
            try listing.finish()
        }
    }

    private static func preview(_ entry: CacheEntrySummary) -> String {
        let reply = try? JSONValue.parse(entry.reply)
        return DisplayText.line(reply?["text"]?.string ?? entry.reply, limit: 120)
    }
}

/// `agent-queue cache get`
struct CacheGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Print a cached answer.",
        discussion: """
            Takes a digest or the start of one; `cache list` and `show` print digests.

              agent-queue cache get 3f2a9c
            """)

    @Argument(help: ArgumentHelp("Digest, or a unique prefix of it.", valueName: "digest"))
    var digest: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let entry = try CacheLookup.entry(digest, in: store)
            var output = Output()
            if format.json {
                try output.json(CacheJSON.entry(entry, withReply: true))
            } else {
                let reply = try JSONValue.parse(entry.reply).withoutNative
                try output.line(reply["text"]?.string.map { DisplayText.lines($0) } ?? JSONText.text(reply))
            }
            try output.flush()
        }
    }
}

/// `agent-queue cache delete`
struct CacheDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a cache entry.",
        discussion: """
              agent-queue cache delete 3f2a9c
            """)

    @Argument(help: ArgumentHelp("Digest, or a unique prefix of it.", valueName: "digest"))
    var digest: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let entry = try CacheLookup.entry(digest, in: store)
            let deleted = try await store.cache.delete(entry.digest)
            var output = Output()
            let name = Hexadecimal.text(entry.digest)
            if format.json {
                try output.json(.object([.init("digest", .string(name)), .init("deleted", .bool(deleted))]))
            } else {
                try output.line("\(name) \(deleted ? "deleted" : "was already gone")")
            }
            try output.flush()
        }
    }
}

/// `agent-queue cache clear`
struct CacheClearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Delete all cache entries.",
        discussion: """
            Safe to run while workers are running. Finished jobs keep their answers.

              agent-queue cache clear
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let deleted = try await store.cache.clear()
            try format.print(
                .object([.init("deleted", .integer(Int64(deleted)))]),
                line: "\(deleted) cache \(deleted == 1 ? "entry" : "entries") deleted")
        }
    }
}

/// Finds a cache entry by a prefix of its digest.
enum CacheLookup {
    /// - Throws: `CommandFailure` if there is no entry or more than one.
    static func entry(_ digest: String, in store: QueueStore) throws -> CacheEntrySummary {
        let name = InvalidText.quoted(digest)
        guard !digest.isEmpty, digest.utf8.count <= 64, digest.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw CommandFailure(.usage, "\(name) is not a digest (up to 64 hexadecimal digits)")
        }
        let entries = try store.cache.entries(digestPrefix: digest)
        guard let entry = entries.first else { throw CommandFailure(.badInput, "no cache entry matches digest \(name)") }
        guard entries.count == 1 else {
            throw CommandFailure(.usage, "digest prefix \(name) matches more than one cache entry; use a longer prefix")
        }
        return entry
    }
}
