import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Testing

extension ReliabilityTests {
    /// Schedules, fired by real worker processes.
    @Suite struct ScheduleTests {
        @Test func eachFiringIsMadeByOneOfTheWorkers() async throws {
            try await withScene(Script { .echo($0) }, configuration: "worker: { concurrency: 5 }") { scene in
                let (first, second) = (try await scene.worker(), try await scene.worker())
                let now = scene.store.clock.wall()
                for number in 1...60 {
                    _ = try await scene.store.schedules.add(
                        NewSchedule(
                            name: "s\(number)", cron: "@yearly", timeZone: "Europe/Lisbon", missed: .once,
                            work: #"{"job": {"prompt": "p\#(number)", "cache": false}}"#, nextAt: now - 86_400_000 + Int64(number)))
                }
                try await scene.waitForEnds(60)
                #expect(try scene.number("SELECT count(*) FROM schedules WHERE firings = 1 AND last_error IS NULL") == 60)
                #expect(try scene.number("SELECT count(*) FROM jobs") == 60)
                #expect(try scene.number("SELECT count(DISTINCT unique_key) FROM jobs") == 60)
                #expect(try scene.number("SELECT min(next_at) FROM schedules").map { $0 > now } == true)
                #expect(scene.server.requests.count == 60)
                #expect(first.ending == nil && second.ending == nil)
            }
        }

        @Test func aRunIsStartedOnceAndItsEndIsTold() async throws {
            let script = Script { $0.path == "/hook" ? ScriptedAnswer(204, body: []) : .echo($0) }
            try await withScene(script, configuration: #"notifications: { hook: { url: "$URL/hook" } }"#) { scene in
                try FileManager.default.createDirectory(atPath: scene.folder + "/pipelines", withIntermediateDirectories: true)
                try """
                inputs: { topic: { type: text } }
                steps:
                  first: { prompt: "about {{inputs.topic}}" }
                  second: { prompt: "more of {{first}}" }
                """.write(toFile: scene.folder + "/pipelines/two.yaml", atomically: true, encoding: .utf8)
                try await scene.worker()
                try await scene.worker()
                let work = #"{"run": {"name": "two", "inputs": {"topic": "rain"}, "options": {"tags": ["t"]}, "on_finish": ["hook"]}}"#
                let added = try await scene.store.schedules.add(
                    NewSchedule(cron: "@yearly", timeZone: "UTC", work: work, nextAt: scene.store.clock.wall()))
                try await until("its end is told") { try scene.number("SELECT count(*) FROM notices WHERE state = 'delivered'") == 1 }
                let fired = try #require(try scene.store.schedules.get(added.id))
                #expect(fired.firings == 1)
                #expect(fired.lastError == nil)
                #expect(try scene.number("SELECT count(*) FROM runs") == 1)
                let hook = try #require(scene.server.requests.first { $0.path == "/hook" })
                let body = try JSONValue.parse(hook.text)
                #expect(
                    [body["kind"], body["name"], body["state"], body["calls"], body["completed"]] == ["run", "two", "completed", 2, 2])
                #expect(body["id"]?.int.map(Int64.init) == fired.lastRun)
            }
        }

        @Test func oneThatIsAddedWakesAWorkerForItsTime() async throws {
            try await withScene(Script { .echo($0) }) { scene in
                try await scene.worker()
                let due = scene.store.clock.wall() + 700
                let added = try await scene.store.schedules.add(
                    NewSchedule(cron: "@yearly", timeZone: "UTC", work: #"{"job": {"prompt": "on time"}}"#, nextAt: due))
                try await until("it fires") { try scene.store.schedules.get(added.id)?.firings == 1 }
                let firedAt = try #require(try scene.store.schedules.get(added.id)?.firedAt)
                #expect(firedAt >= due && firedAt < due + 900)
            }
        }
    }
}
