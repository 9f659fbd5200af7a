import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization
import Testing

/// A database in a folder of its own, a scripted server in a provider's place, and the processes that a test starts.
final class Scene: Sendable {
    let folder: String
    let database: String
    let server: ScriptedServer
    /// The database, opened in this process too.
    let store: QueueStore
    private let children = Mutex<[ChildProcess]>([])

    /// - Parameters:
    ///   - configuration: more lines of the configuration, such as `worker: { lease: 1s }`.
    ///   - provider: more keys of the provider; more providers behind a `}`. `$URL` is the server's, and `$LOCALHOST` the
    ///     same by name.
    fileprivate init(_ server: ScriptedServer, folder: String, database: String?, configuration: String, provider: String) throws {
        self.folder = folder
        self.server = server
        self.database = database ?? folder + "/data/queue.db"
        let text = """
            default_model: scripted/m
            providers:
              scripted: { kind: openai, base_url: "\(server.url)/v1"\(provider) }
            \(configuration)

            """.replacing("$URL", with: server.url).replacing("$LOCALHOST", with: "http://localhost:\(server.port)")
        try text.write(toFile: folder + "/agent-queue.yaml", atomically: true, encoding: .utf8)
        store = try QueueStore(path: self.database)
    }

    fileprivate func killAll() async {
        for child in children.withLock(\.self) {
            child.send(SIGKILL)
            _ = try? await child.end()
        }
    }

    /// Every process ever started here.
    var processes: [ChildProcess] { children.withLock(\.self) }

    /// Takes in a process, so that it ends with the scene.
    @discardableResult
    func add(_ child: ChildProcess) -> ChildProcess {
        children.withLock { $0.append(child) }
        return child
    }

    // MARK: Programs

    private var options: [String] { ["--database", database, "--config", folder + "/agent-queue.yaml"] }
    private var environment: [String: String] { ["PATH": "/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8"] }

    /// Starts `agent-worker`, and does not wait until it is ready.
    func startWorker(_ arguments: String..., environment: [String: String] = [:]) throws -> ChildProcess {
        try startWorker(arguments, environment: environment)
    }

    /// Starts `agent-worker`, and does not wait until it is ready.
    func startWorker(_ arguments: [String], environment: [String: String] = [:]) throws -> ChildProcess {
        let environment = self.environment.merging(environment) { $1 }
        return add(try ChildProcess(.worker, options + arguments, environment: environment))
    }

    /// Starts `agent-worker`, and waits until it has signed on.
    @discardableResult
    func worker(_ arguments: String..., environment: [String: String] = [:]) async throws -> ChildProcess {
        let environment = self.environment.merging(environment) { $1 }
        let worker = add(try ChildProcess(.worker, options + arguments, environment: environment))
        try await until("worker \(worker.pid) signs on") { [store] in
            if let ending = worker.ending { throw TookTooLong("the worker ended: \(ending) \(worker.output)") }
            return try store.maintenance.workers().contains { $0.pid == Int64(worker.pid) }
        }
        return worker
    }

    /// Starts `agent-worker` in a session of its own that a terminal controls: its Ctrl-C and its end reach the worker as signals.
    func startWorker(on terminal: PseudoTerminal, _ arguments: String...) throws -> ChildProcess {
        let script = "tty=$1 && shift && exec setsid --ctty \"$@\" <\"$tty\" >\"$tty\" 2>&1"
        return add(
            try ChildProcess(
                "/bin/sh", ["-c", script, "sh", terminal.path, Program.worker.path] + options + arguments, environment: environment))
    }

    /// Starts `agent-worker` as a shell does after `nohup`.
    func startWorkerWithNohup(_ arguments: String...) throws -> ChildProcess {
        add(try ChildProcess("/usr/bin/nohup", [Program.worker.path] + options + arguments, environment: environment))
    }

    /// Starts an `agent-queue` command.
    func start(_ command: String...) throws -> ChildProcess {
        add(try ChildProcess(.queue, command + options, environment: environment))
    }

    /// Runs an `agent-queue` command.
    func run(_ command: String...) async throws -> (ending: ChildProcess.Ending, output: String) { try await run(command) }

    /// Runs an `agent-queue` command.
    func run(
        _ command: [String], environment: [String: String] = [:]
    ) async throws -> (ending: ChildProcess.Ending, output: String) {
        let environment = self.environment.merging(environment) { $1 }
        let child = add(try ChildProcess(.queue, command + options, environment: environment))
        return try await child.endOfOutput()
    }

    /// Waits until so many workers have signed on, one not among them, and returns their processes.
    func supervised(_ count: Int, without dead: pid_t? = nil) async throws -> Set<pid_t> {
        try await until("\(count) workers sign on") { [store] in
            let pids = try store.maintenance.workers().map(\.pid)
            return pids.count == count && !pids.contains { $0 == dead.map(Int64.init) }
        }
        return Set(try store.maintenance.workers().map { pid_t($0.pid) })
    }

    // MARK: Jobs

    @discardableResult
    func enqueue(_ prompt: String, to target: String = "scripted/m", _ configure: (inout NewJob) -> Void = { _ in }) async throws -> Int64 {
        var job = NewJob.asking(prompt, of: target)
        configure(&job)
        return try await store.jobs.enqueue(job).id
    }

    func job(_ id: Int64) throws -> Job { try #require(try store.jobs.get(id)) }

    /// Waits until a job is in a state.
    func wait(for id: Int64, _ state: JobState, within limit: Duration = .seconds(30)) async throws {
        do {
            try await until("job \(id) is \(state)", within: limit) { [store] in try store.jobs.states(of: [id])[id] == state }
        } catch let error as TookTooLong {
            throw TookTooLong("\(error); it is \(try job(id).state), \(try job(id).errors)")
        }
    }

    /// Waits until the server was asked so often, since the start.
    @discardableResult
    func calls(_ count: Int, within limit: Duration = .seconds(30)) async throws -> [RecordedRequest] {
        try await within(limit, "call \(count) arrives") { [server] in try await server.waitForRequests(count) }
    }

    /// The process that runs a job.
    func runner(of id: Int64) throws -> ChildProcess {
        let pid = try #require(try job(id).worker?.pid)
        return try #require(processes.first { Int64($0.pid) == pid })
    }
}

/// Runs a test; then ends its processes, has the database checked, and removes its folder.
func withScene(
    _ script: Script, configuration: String = "", provider: String = "", database: String? = nil, _ body: (Scene) async throws -> Void
) async throws {
    let folder = try Folder.make()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await ScriptedServer.withServer(script) { server in
        let scene = try Scene(server, folder: folder, database: database, configuration: configuration, provider: provider)
        defer { scene.store.close() }
        do {
            try await body(scene)
        } catch {
            await scene.killAll()
            for process in scene.processes.suffix(4) { print("--- \(process.pid)\n\(process.output)") }
            throw error
        }
        await scene.killAll()
        #expect(try scene.store.maintenance.check().faults == [])
    }
}
