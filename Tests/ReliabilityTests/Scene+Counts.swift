import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc

extension Scene {
    /// How many jobs are in a state.
    func count(_ state: JobState) throws -> Int { try store.jobs.lanes().reduce(0) { $0 + $1.count(state) } }

    /// How many jobs were answered so.
    func answered(by origin: AnsweredBy) throws -> Int {
        Int(try number("SELECT count(*) FROM results WHERE answered_by = '\(origin.rawValue)'") ?? 0)
    }

    /// Waits until so many jobs have ended, however they did.
    func waitForEnds(_ count: Int, within limit: Duration = .seconds(60)) async throws {
        do {
            try await until("\(count) jobs have ended", within: limit) { try ended == count }
        } catch let error as TookTooLong {
            let states = try JobState.allCases.map { "\($0) \(try self.count($0))" }.joined(separator: ", ")
            throw TookTooLong("\(error); \(states)")
        }
    }

    private var ended: Int { get throws { try JobState.allCases.filter(\.isFinal).reduce(0) { $0 + (try count($1)) } } }

    /// The jobs that a process runs, with their tokens.
    func leases(of process: ChildProcess) throws -> [Lease] {
        try numbers(
            """
            SELECT jobs.id, jobs.token FROM jobs JOIN workers ON workers.id = jobs.worker_id
            WHERE jobs.state = 'running' AND workers.pid = \(process.pid)
            """
        ).map { Lease(jobID: $0[0], token: $0[1]) }
    }

    /// Kills a process and returns what it had under way then: it is stopped first, so that it begins nothing in between.
    func kill(_ process: ChildProcess) async throws -> [Lease] {
        process.send(SIGSTOP)
        try await until("\(process.pid) has stopped") { try process.ending != nil || process.isStopped }
        let leases = try leases(of: process)
        process.send(SIGKILL)
        try await process.end()
        return leases
    }
}

extension ChildProcess {
    fileprivate var isStopped: Bool {
        get throws {
            // "17 (agent-worker) T 1 …"
            let line = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            return line.split(separator: ")").last?.split(separator: " ").first == "T"
        }
    }
}
