import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Glibc
import Testing

extension ReliabilityTests {
    /// Whoever waits is told what holds things up: by the command that waits, and by the worker's log.
    @Suite struct WaitHintTests {
        private static let keyed = " }\n  keyed: { kind: openai, base_url: \"$URL/v1\", api_key_env: NO_SUCH_KEY"

        @Test func thatNoWorkerRuns() async throws {
            try await withScene(.echo) { scene in
                let waiting = try scene.start("enqueue", "--wait", "why?")
                try await waiting.waitForOutput("agent-queue: waiting: no worker is running; start 'agent-worker'", within: .seconds(10))
                try await scene.worker()
                let (ending, output) = try await waiting.endOfOutput()
                #expect(ending == .exit(0))
                #expect(output.hasSuffix("echo why?\n"))
            }
        }

        /// A process was stopped by SIGSTOP within a transaction, which no program can prevent.
        @Test func thatAStoppedProcessHoldsTheWriteLock() async throws {
            try await withScene(.echo) { scene in
                let script = """
                    use Fcntl; open(F, '+<', $ARGV[0]) or die; my $lock = pack('s s x4 q q i x4', F_WRLCK, 0, 120, 1, 0);
                    fcntl(F, F_SETLK, $lock) or die; $| = 1; print "locked\\n"; <STDIN>;
                    """
                let holder = scene.add(
                    try ChildProcess("/usr/bin/perl", ["-e", script, scene.database + "-shm"], holdsInput: true))
                try await holder.waitForOutput("locked")
                holder.send(SIGSTOP)
                try await until("it is stopped") { WriteLockHolder.current(of: scene.database)?.isStopped == true }
                let sentence = "process \(holder.pid) (perl), which is stopped and holds the"
                let doctor = try await scene.run("doctor")
                #expect(doctor.output.contains(sentence), "\(doctor.output)")
                #expect(doctor.ending != .exit(0))
                let waiting = try scene.start("enqueue", "why?")
                try await waiting.waitForOutput("waiting for \(sentence)", within: .seconds(10))
                holder.send(SIGKILL)
                #expect(try await waiting.end() == .exit(0))
            }
        }

        @Test func thatItsQueueIsPausedAndThenThatItsProviderHasNoKey() async throws {
            try await withScene(.echo, provider: Self.keyed) { scene in
                try await scene.worker()
                try await scene.store.jobs.pause(queue: "nightly")
                let id = try await scene.enqueue("why?", to: "keyed/m") { $0.queue = "nightly" }
                let waiting = try scene.start("wait", "\(id)")
                try await waiting.waitForOutput(
                    "waiting: queue 'nightly' is paused; run 'agent-queue resume nightly'", within: .seconds(10))
                try await scene.store.jobs.resume(queue: "nightly")
                try await waiting.waitForOutput("waiting: provider 'keyed' is not available here: ", within: .seconds(10))
            }
        }

        @Test func thatNoWorkerServesItsQueue() async throws {
            try await withScene(.echo) { scene in
                try await scene.worker("--queues", "default,reports")
                let id = try await scene.enqueue("why?") { $0.queue = "nightly" }
                let reason = "no running worker serves queue 'nightly'; start 'agent-worker --queues nightly'"
                let waiting = try scene.start("wait", "\(id)")
                #expect(try await scene.run("show", "\(id)").output.contains("blocked by  \(reason)"))
                #expect(
                    try await scene.run("doctor").output.contains("queue nightly: is served by no running worker, with 1 job waiting"))
                try await waiting.waitForOutput("waiting: \(reason)", within: .seconds(10))
                try await scene.worker("--queues", "nightly")
                #expect(try await waiting.endOfOutput().ending == .exit(0))
            }
        }

        @Test func showAndDoctorSayThatAQueueIsPausedAndThatNoWorkerRuns() async throws {
            try await withScene(.echo) { scene in
                try await scene.store.jobs.pause(queue: "nightly")
                let paused = try await scene.enqueue("why?") { $0.queue = "nightly" }
                let ready = try await scene.enqueue("how?")
                let resume = "run 'agent-queue resume nightly'"
                #expect(
                    try await scene.run("show", "\(paused)").output.contains(
                        "blocked by  queue 'nightly' is paused; \(resume); no worker is running; start 'agent-worker'"))
                #expect(try await scene.run("show", "\(ready)").output.contains("blocked by  no worker is running; start 'agent-worker'"))
                let doctor = try await scene.run("doctor").output
                #expect(doctor.contains("queue nightly: is paused with 1 job waiting; \(resume)"))
                #expect(doctor.contains("workers: none running, 1 job waiting; start 'agent-worker'"))
            }
        }

        @Test func thatALimitIsReached() async throws {
            try await withScene(.echo, provider: ", limits: { rpm: 1 }") { scene in
                try await scene.worker()
                try await scene.wait(for: try await scene.enqueue("one"), .completed)
                let waiting = try scene.start("wait", "\(try await scene.enqueue("two"))")
                try await waiting.waitForOutput(
                    "waiting: provider 'scripted' has reached its limit of 1 request a minute", within: .seconds(10))
            }
        }

        @Test func theWorkerNamesTheProviderThatItCannotCall() async throws {
            try await withScene(.echo, provider: Self.keyed) { scene in
                let worker = try await scene.worker("--log-format", "json")
                try await scene.enqueue("why?", to: "keyed/m")
                try await scene.enqueue("why?", to: "elsewhere/m")
                try await worker.waitForOutput("jobs wait for provider 'keyed', which this worker cannot call", within: .seconds(10))
                try await worker.waitForOutput("jobs wait for provider 'elsewhere', which this worker cannot call", within: .seconds(10))
                for line in worker.output.split(separator: "\n") {
                    let event = try JSONValue.parse(String(line))
                    #expect(event["level"]?.string != nil, "\(line)")
                    if event["provider"] == "keyed" {
                        #expect(event["jobs"] == 1)
                        #expect(event["reason"]?.string?.contains("NO_SUCH_KEY") == true)
                    }
                }
            }
        }

        @Test func theWorkerNamesProviderTargetAndLimit() async throws {
            try await withScene(.echo, provider: ", limits: { rpm: 1 }") { scene in
                let worker = try await scene.worker("--log-format", "json")
                try await scene.wait(for: try await scene.enqueue("one"), .completed)
                try await scene.enqueue("two")
                try await worker.waitForOutput("has reached its limit", within: .seconds(20))
                let line = try #require(worker.output.split(separator: "\n").first { $0.contains("has reached its limit") })
                let event = try JSONValue.parse(String(line))
                #expect(event["provider"] == "scripted")
                #expect(event["target"] == "scripted/m")
                #expect(event["limit"] == "1 request a minute")
                #expect(event["waiting_ms"]?.int ?? 0 >= 5_000)
            }
        }

        @Test func aJobInTheLogHasALevelAndNumbers() async throws {
            try await withScene(.echo) { scene in
                let worker = try await scene.worker("--log-format", "json")
                try await scene.enqueue("one")
                try await worker.waitForOutput(#""job":1,"#)
                let line = try #require(worker.output.split(separator: "\n").first { $0.contains(#""job":1,"#) })
                let event = try JSONValue.parse(String(line))
                #expect(event["level"] == "info")
                #expect(event["job"] == 1)
                #expect(event["attempt"] == 1)
                let ready = try #require(worker.output.split(separator: "\n").first { $0.contains("ready") })
                #expect(try JSONValue.parse(String(ready))["concurrency"] == 5)
            }
        }
    }
}
