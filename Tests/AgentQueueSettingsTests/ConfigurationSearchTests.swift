import Testing

@testable import AgentQueueSettings

/// Which file is read, where the database goes, and what beats what.
@Suite struct ConfigurationSearchTests {
    @Test func eachPlaceGivesWayToTheOneBefore() throws {
        var fixture = Fixture()
        #expect(try fixture.load().configPath == nil)

        func expect(_ concurrency: Int, from path: String) throws {
            let settings = try fixture.load()
            #expect(settings.worker.concurrency == concurrency)
            #expect(settings.configPath == path)
            #expect(settings.origin(of: "worker.concurrency") == .file(path: path, line: 1))
        }
        fixture.files["/home/ada/.config/agent-queue/config.yaml"] = "worker: { concurrency: 11 }"
        try expect(11, from: "/home/ada/.config/agent-queue/config.yaml")
        fixture.environment["XDG_CONFIG_HOME"] = "/xdg"
        fixture.files["/xdg/agent-queue/config.yaml"] = "worker: { concurrency: 12 }"
        try expect(12, from: "/xdg/agent-queue/config.yaml")
        fixture.files["/project/agent-queue.yaml"] = "worker: { concurrency: 13 }"
        try expect(13, from: "agent-queue.yaml")
        fixture.environment["AGENT_QUEUE_CONFIG"] = "~/mine.yaml"
        fixture.files["/home/ada/mine.yaml"] = "worker: { concurrency: 14 }"
        try expect(14, from: "~/mine.yaml")
        fixture.configPath = "config/agent-queue.yaml"
        fixture.files["/project/config/agent-queue.yaml"] = "worker: { concurrency: 15 }"
        try expect(15, from: "config/agent-queue.yaml")
    }

    @Test func aRelativeXDGFolderCountsAsNotSet() throws {
        var fixture = Fixture()
        fixture.environment["XDG_CONFIG_HOME"] = "xdg"
        fixture.environment["XDG_DATA_HOME"] = ""
        fixture.files["/project/xdg/agent-queue/config.yaml"] = "worker: { concurrency: 12 }"
        #expect(try fixture.load().worker.concurrency == 5)
        #expect(try fixture.load().database == "/home/ada/.local/share/agent-queue/queue.db")
    }

    @Test func aNamedFileMustBeThere() {
        var fixture = Fixture("worker: { concurrency: 13 }")
        fixture.environment["AGENT_QUEUE_CONFIG"] = "/none.yaml"
        #expect(fixture.fault() == "/none.yaml: there is no such file (named by AGENT_QUEUE_CONFIG)")
        fixture.configPath = "gone.yaml"
        #expect(fixture.fault() == "gone.yaml: there is no such file (named by --config)")
    }

    @Test func theDatabase() throws {
        var fixture = Fixture()
        #expect(try fixture.load().database == "/home/ada/.local/share/agent-queue/queue.db")
        fixture.environment["XDG_DATA_HOME"] = "/data"
        #expect(try fixture.load().database == "/data/agent-queue/queue.db")
        #expect(try fixture.load().origin(of: "database") == .builtIn)
        fixture.configPath = "etc/a.yaml"
        fixture.files["/project/etc/a.yaml"] = "\ndatabase: ./q.db\n"
        #expect(try fixture.load().database == "/project/etc/q.db")
        #expect(try fixture.load().origin(of: "database").description == "etc/a.yaml:2")
        fixture.environment["AGENT_QUEUE_DATABASE"] = "env.db"
        #expect(try fixture.load().database == "/project/env.db")
        fixture.overrides = [SettingsOverride(key: "database", value: "~/cli.db", option: "--database")]
        #expect(try fixture.load().database == "/home/ada/cli.db")
        #expect(try fixture.load().origin(of: "database").description == "command line --database")
    }

    @Test func withoutAHomeTheDatabaseMustBeNamed() throws {
        var fixture = Fixture()
        fixture.environment = [:]
        #expect(fixture.fault()?.contains("set HOME or AGENT_QUEUE_DATABASE") == true)
        fixture.environment = ["AGENT_QUEUE_DATABASE": "/q.db"]
        #expect(try fixture.load().database == "/q.db")
    }

    @Test func commandLineBeatsEnvironmentBeatsFileBeatsDefault() throws {
        var fixture = Fixture()
        func entry() throws -> SettingsEntry? { try fixture.load().entries.first { $0.key == "cache.max_entries" } }

        #expect(try entry() == SettingsEntry(key: "cache.max_entries", value: "1000", origin: .builtIn))
        fixture.files["/project/agent-queue.yaml"] = "cache:\n  max_entries: 2000\n"
        #expect(try entry() == SettingsEntry(key: "cache.max_entries", value: "2000", origin: .file(path: "agent-queue.yaml", line: 2)))
        fixture.environment["CACHE_MAX_SIZE"] = "3000"
        #expect(try entry() == SettingsEntry(key: "cache.max_entries", value: "3000", origin: .environment(name: "CACHE_MAX_SIZE")))
        fixture.overrides = [SettingsOverride(key: "cache.max_entries", value: "4000", option: "--cache-entries")]
        #expect(try entry() == SettingsEntry(key: "cache.max_entries", value: "4000", origin: .commandLine(option: "--cache-entries")))
    }
}
