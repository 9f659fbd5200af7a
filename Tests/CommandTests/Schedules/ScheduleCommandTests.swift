import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@Suite struct ScheduleCommandTests {
    @Test("Adds, lists, pauses, resumes and removes a schedule")
    func life() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("schedule", "list").status == 69)
        let added = try await sandbox.run(
            "schedule", "add", "0 7 * * mon-fri", "What is \u{1B}[31mnew?", "--name", "digest", "--time-zone", "Europe/Lisbon", "--missed",
            "all", "--most", "3", "--queue", "q", "--tag", "t", "--no-cache")
        #expect(added.status == 0, "\(added.error)")
        #expect(added.output == "1\n")
        let listed = try #require(try await sandbox.run("schedule", "list", "--json").json.first)
        #expect(listed["name"] == "digest")
        #expect([listed["time_zone"], listed["follows_machine_zone"]] == ["Europe/Lisbon", false])
        #expect([listed["missed"], listed["most"], listed["firings"]] == ["all", 3, 0])
        #expect(
            listed["work"]?["job"] == [
                "kind": "generate", "prompt": "What is \u{1B}[31mnew?", "queue": "q", "tags": ["t"], "cache": false,
            ])
        let table = try await sandbox.run("schedule", "list")
        #expect(table.output.contains("digest") && table.output.contains("mon-fri"))
        #expect(!table.output.contains("\u{1B}"))
        #expect(try await sandbox.run("schedule", "pause", "digest").output == "schedule digest paused\n")
        #expect(try await sandbox.run("schedule", "list", "--json").json.first?["next_at"] == .null)
        #expect(try await sandbox.run("schedule", "resume", "1").output == "schedule digest resumed\n")
        #expect(try await sandbox.run("schedule", "list", "--json").json.first?["next_at"] == listed["next_at"])
        #expect(try await sandbox.run("schedule", "remove", "digest", "--json").json == [["id": 1, "name": "digest", "removed": true]])
        #expect(try await sandbox.run("schedule", "list", "--json").output.isEmpty)
    }

    @Test(
        "Refuses what could never fire, with a sentence",
        arguments: [
            (["add", "0 25 * * *", "x"], 64, "hour: '25' is out of range (0 to 23)"),
            (["add", "0 0 30 2 *", "x"], 64, "'0 0 30 2 *' matches no time in the next five years"),
            (
                ["add", "@daily", "x", "--time-zone", "Europe/Lisbom"], 64,
                "unknown time zone 'Europe/Lisbom' (did you mean 'Europe/Lisbon'?)"
            ),
            (["add", "@daily"], 64, "give a prompt, --file or --run"),
            (["add", "@daily", "x", "--model", "nowhere/m"], 64, "unknown provider 'nowhere' in model 'nowhere/m'"),
            (["add", "@daily", "x", "--at", "2027-01-01T00:00Z"], 64, "a scheduled job has no 'at': its schedule says when"),
            (["add", "@daily", "x", "--most", "3"], 64, "--most requires --missed all"),
            (["add", "@daily", "x", "--missed", "alll"], 64, "--missed: unknown 'alll' (did you mean 'all'?)"),
            (["add", "@daily", "x", "--name", "12"], 64, "--name must be 1 to 128 characters, not all digits"),
            (["add", "@daily", "x", "--on-finish", "pager"], 64, "unknown notification 'pager' (the configuration has none)"),
            (["remove", "nothing"], 65, "schedule 'nothing' not found"),
            (["next", "* * * *"], 64, "a cron expression has five fields"),
        ] as [([String], Int32, String)])
    func refusals(arguments: [String], status: Int32, sentence: String) async throws {
        let sandbox = try Sandbox()
        try await sandbox.makeDatabase()
        var line = "\"$AQ\" schedule"
        for argument in arguments { line += " '\(argument)'" }
        let ending = try await sandbox.shell(line)
        #expect(ending.status == status)
        #expect(ending.sentence?.hasPrefix(sentence) == true, "\(ending.error)")
    }

    @Test("Shows a schedule with what it added, and fires it by hand")
    func showAndRun() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.run("schedule", "show", "digest").status != 0)
        _ = try await sandbox.run("schedule", "add", "0 7 * * *", "What is new?", "--name", "digest", "--time-zone", "Asia/Kolkata")
        let before = try await sandbox.run("schedule", "show", "digest", "--json").json.first
        #expect(before?["next_times"]?.array?.count == 5)
        #expect(before?["next_times"]?.array?.first == before?["next_at"])
        #expect(before?["latest_firings"] == [])
        let fired = try await sandbox.run("schedule", "run", "digest")
        #expect(fired.output == "job 1\n", "\(fired.error)")
        #expect(try await sandbox.run("schedule", "run", "1", "--json").json.first?["job"] == 2)
        try await sandbox.work()
        let after = try #require(try await sandbox.run("schedule", "show", "digest", "--json").json.first)
        #expect((after["next_at"], after["firings"]) == (before?["next_at"], 2))
        #expect(after["latest_firings"]?.array?.map { $0["job"] } == [2, 1])
        #expect(after["latest_firings"]?.array?.allSatisfy { $0["state"] == "completed" && $0["by_hand"] == true } == true)
        let shown = try await sandbox.run("schedule", "show", "1").output
        for part in ["0 7 * * *  Asia/Kolkata", "07:00 +05:30", "generate: What is new?", "job 2", "hand", "completed"] {
            #expect(shown.contains(part), "\(shown)")
        }
        let unknown = try await sandbox.run("schedule", "run", "digst")
        #expect(unknown.status == 65 && unknown.sentence == "schedule 'digst' not found (did you mean 'digest'?)")
    }

    @Test("Says that a schedule follows the machine's zone, and which that is")
    func followsTheMachinesZone() async throws {
        let sandbox = try Sandbox()
        let environment = ["TZ": "Asia/Kolkata"]
        #expect(try await sandbox.run("schedule", "add", "0 7 * * *", "x", "--name", "m", environment: environment).status == 0)
        let listed = try #require(try await sandbox.run("schedule", "list", "--json").json.first)
        #expect([listed["time_zone"], listed["follows_machine_zone"]] == ["Asia/Kolkata", true])
        #expect(try await sandbox.run("schedule", "list").output.contains("Asia/Kolkata (machine)"))
        #expect(try await sandbox.run("schedule", "show", "m").output.contains("0 7 * * *  Asia/Kolkata (machine)"))
    }

    @Test("Prints the next times, by the zone's clocks")
    func next() async throws {
        let sandbox = try Sandbox()
        let ending = try await sandbox.run("schedule", "next", "30 9 * * *", "--time-zone", "Asia/Kolkata", "--count", "3")
        #expect(ending.status == 0)
        #expect(ending.lines.count == 3)
        #expect(ending.lines.allSatisfy { $0.hasSuffix(" 09:30 +05:30 Asia/Kolkata") })
        #expect(try await sandbox.run("schedule", "next", "@hourly", "--json").json.count == 5)
    }

    @Test("Tells of jobs and batches by notifications of the configuration")
    func notifications() async throws {
        let sandbox = try Sandbox()
        let config = try sandbox.file("aq.yaml", "notifications: { log: { command: 'cat > told' }, bad: { command: exit 4 } }\n")
        let environment = ["AGENT_QUEUE_CONFIG": config]
        let mistyped = try await sandbox.run("enqueue", "x", "--on-finish", "lgo", environment: environment)
        #expect(mistyped.status == 64)
        #expect(mistyped.sentence == "unknown notification 'lgo' (did you mean 'log'?)")
        #expect(try await sandbox.run("enqueue", "x", "--on-batch-finish", "log", environment: environment).status == 64)
        let enqueued = try await sandbox.run(
            "enqueue", "x", "--on-finish", "log", "--batch", "b", "--on-batch-finish", "bad", environment: environment)
        #expect(enqueued.status == 0, "\(enqueued.error)")
        try sandbox.file("lines.jsonl", #"{"prompt": "y", "on_finish": "log"}"# + "\n" + #"{"prompt": "z"}"# + "\n")
        let bulk = try await sandbox.run(
            "enqueue", "--jsonl", "lines.jsonl", "--batch", "c", "--on-batch-finish", "log", environment: environment)
        #expect(bulk.status == 0, "\(bulk.error)")
        try await sandbox.work()
        let notices = try await sandbox.run("notifications", "list", "--json").json
        #expect(
            Set(notices.compactMap { notice in notice["body"]?["kind"]?.string.map { "\($0) \(notice["notification"]?.string ?? "")" } })
                == ["job log", "batch bad", "batch log"])
        #expect(notices.count == 4)
        #expect(try await sandbox.run("notifications", "retry", "1", "2").output == "2 notifications will be retried\n")
        #expect(try await sandbox.run("notifications", "retry", "99").status == 65)
        let checked = try await sandbox.run("notifications", "check", "log", environment: environment)
        #expect(checked.lines.last == "delivered" && checked.lines.first?.contains(#""test":true"#) == true, "\(checked.output)")
        #expect(try sandbox.read("told").contains(#""test":true"#))
        let failed = try await sandbox.run("notifications", "check", "bad", environment: environment)
        #expect(failed.status == 69)
        #expect(failed.sentence == "notification 'bad': the command ended with 4")
    }

    @Test("A webhook is posted in the form that its receiver wants, for failures alone if they alone are asked for")
    func bodies() async throws {
        try await ScriptedServer.withServer(Script { _ in ScriptedAnswer(200, body: []) }) { server in
            let sandbox = try Sandbox()
            let body = #"{"text": "{{summary}}"}"#
            let config = try sandbox.file("aq.yaml", "notifications: { slack: { url: '\(server.url)/hook', body: '\(body)' } }\n")
            let environment = ["AGENT_QUEUE_CONFIG": config]
            let check = try await sandbox.run("notifications", "check", "slack", environment: environment)
            #expect(check.output == "{\"text\": \"job 0 completed\"}\ndelivered\n", "\(check.error)")
            #expect(server.requests.map(\.text) == [#"{"text": "job 0 completed"}"#])

            #expect(try await sandbox.run("enqueue", "x", "--on-failure", "slcak", environment: environment).status == 64)
            #expect(try await sandbox.run("enqueue", "x", "--on-batch-failure", "slack", environment: environment).status == 64)
            try sandbox.file("lines.jsonl", #"{"prompt": "good", "on_failure": "slack"}"# + "\n" + #"{"prompt": "bad"}"# + "\n")
            let bulk = try await sandbox.run(
                "enqueue", "--jsonl", "lines.jsonl", "--on-failure", "slack", "--batch", "b", "--on-batch-failure", "slack",
                environment: environment)
            #expect(bulk.status == 0, "\(bulk.error)")
            try await sandbox.work { $0.contains("good") ? "fine" : nil }
            let told = try await sandbox.run("notifications", "list", "--json").json.compactMap { $0["body"]?["kind"]?.string }
            #expect(told.sorted() == ["batch", "job"])
        }
    }

    @Test("TZ is understood in all its forms, or refused; it is never UTC in silence")
    func machineZone() async throws {
        let sandbox = try Sandbox()
        for (zone, name, winter) in [
            (":Europe/Berlin", "Europe/Berlin", "+01:00"), ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin", "+01:00"),
            ("EST5EDT", "EST5EDT", "-05:00"), ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", "+01:00"),
        ] {
            let next = try await sandbox.run("schedule", "next", "0 7 1 1 *", "--count", "1", environment: ["TZ": zone])
            #expect(next.output.hasSuffix("-01-01 07:00 \(winter) \(name)\n"), "\(next.output)\(next.error)")
        }
        let unknown = try await sandbox.run("schedule", "next", "0 7 1 1 *", environment: ["TZ": "Europe/Berln"])
        #expect(unknown.status == 64)
        #expect(
            unknown.sentence
                == "TZ 'Europe/Berln' is not a time zone of this machine (did you mean 'Europe/Berlin'?); --time-zone takes precedence")
    }
}
