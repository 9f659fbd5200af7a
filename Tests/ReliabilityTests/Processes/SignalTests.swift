import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// Requests to stop, as service managers, shells and terminals make them.
    @Suite struct SignalTests {
        /// systemd signals all processes of a service, or with `KillMode=mixed` its main process. `killall` signals all, too.
        @Test(arguments: ["control-group", "mixed"], [SIGTERM, SIGHUP, SIGQUIT])
        func oneRequestIsOneWhicheverProcessesItReaches(_ killMode: String, _ signal: Int32) async throws {
            let gate = Gate()
            try await withScene(.always(.saying("done", after: gate))) { scene in
                let supervisor = try scene.startWorker("--processes", "2")
                let children = try await scene.supervised(2)
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                for pid in [supervisor.pid] + (killMode == "mixed" ? [] : children) { kill(pid, signal) }
                try await supervisor.waitForOutput("stopping: running jobs have 30s to finish")
                try await until("the idle process has ended") { try scene.store.maintenance.workers().count == 1 }
                gate.open()
                #expect(try await supervisor.end() == .exit(0), "\(supervisor.output)")
                #expect(try scene.job(id).state == .completed)
                #expect(scene.server.requests.count == 1)
                #expect(!supervisor.output.contains("handed"))
            }
        }

        @Test func theUnitFileGivesJobsTheirGrace() throws {
            let unit = try String(contentsOfFile: Self.root + "/config/systemd/agent-worker.service", encoding: .utf8)
            let settings = Dictionary(
                unit.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
                    line.firstIndex(of: "=").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
                }, uniquingKeysWith: { $1 })
            #expect(settings["KillSignal"] == "SIGTERM")
            #expect(["control-group", "mixed"].contains(settings["KillMode"] ?? ""))
            let stop = try DurationText.parse(try #require(settings["TimeoutStopSec"]))
            #expect(stop > .seconds(30), "the default of worker.shutdown_grace")
        }

        @Test func aSecondRequestStopsAllProcessesAtOnce() async throws {
            try await withScene(.hang) { scene in
                let supervisor = try scene.startWorker("--processes", "2", "--shutdown-grace", "60s")
                _ = try await scene.supervised(2)
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                supervisor.send(SIGTERM)
                try await supervisor.waitForOutput("a second signal stops at once")
                try await until("it ends") {
                    supervisor.send(SIGTERM)
                    return supervisor.ending != nil
                }
                let (ending, output) = try await supervisor.endOfOutput()
                #expect(ending == .exit(0))
                #expect(output.contains("handed 1 running job back to the queue"))
                let job = try scene.job(id)
                #expect(job.state == .available)
                #expect(job.attempt == 0)
            }
        }

        @Test(arguments: ["1", "2"]) func afterNohupTheEndOfTheTerminalDoesNotMatter(_ processes: String) async throws {
            try await withScene(.echo) { scene in
                let worker = try scene.startWorkerWithNohup("--processes", processes)
                let workers = try await scene.supervised(processes == "1" ? 1 : 2)
                for pid in workers.union([worker.pid]) { kill(pid, SIGHUP) }
                try await scene.wait(for: try await scene.enqueue("?"), .completed)
                #expect(try await scene.supervised(workers.count) == workers)
                worker.send(SIGTERM)
                #expect(try await worker.end() == .exit(0), "\(worker.output)")
            }
        }

        @Test func aTerminalThatIsClosedLetsCallsFinish() async throws {
            let gate = Gate()
            try await withScene(.always(.saying("done", after: gate))) { scene in
                let terminal = try PseudoTerminal(width: 100)
                let worker = try scene.startWorker(on: terminal)
                let id = try await scene.enqueue("?")
                try await scene.calls(1)
                try await terminal.hangUp()
                gate.open()
                #expect(try await worker.end() == .exit(0))
                #expect(try scene.job(id).state == .completed)
                #expect(try scene.store.maintenance.workers().isEmpty)
            }
        }

        @Test(arguments: ["1", "2"]) func onATerminalALineShowsWhatHappensUntilCtrlC(_ processes: String) async throws {
            let gate = Gate()
            try await withScene(.always(.saying("done", after: gate))) { scene in
                let terminal = try PseudoTerminal(width: 100)
                let worker = try scene.startWorker(on: terminal, "--processes", processes)
                let id = try await scene.enqueue("?")
                try await terminal.waitForOutput("running 1 · done 0 · left 1 · 0.0/s")
                terminal.type("\u{3}")
                try await terminal.waitForOutput("stopping: running jobs have 30s to finish; a second signal stops at once")
                gate.open()
                #expect(try await worker.end() == .exit(0))
                let output = try await terminal.end()
                #expect(output.split(separator: "\u{1B}[2K").last?.contains("running 0 · done 1") == true, "\(output)")
                #expect(try scene.job(id).state == .completed)
            }
        }

        private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path()
    }
}
