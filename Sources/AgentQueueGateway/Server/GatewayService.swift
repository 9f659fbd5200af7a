import AgentQueue
import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// Serves a queue to programs that speak the APIs of OpenAI or Anthropic, and runs a worker for it.
///
/// On a graceful shutdown `/ready` turns 503 and no call is taken any more; the worker's calls get their grace; then the connections that are
/// left are cut before the end of their answers, and the jobs go back to the queue, so that their clients find them again.
package final class GatewayService: Service {
    /// Where the gateway listens, once it does.
    package struct Addresses: Sendable, Equatable {
        /// The address with the port that was really taken; nil without one.
        package var listen: ListenAddress?
        package var socket: String?
    }

    private let queue: JobQueue
    private let runsWorker: Bool
    private let asksForKeys: Bool
    private let limits: GatewayLimits
    private let logger: Logger
    private let onRunning: @Sendable (Addresses) -> Void
    private let isStopping = Mutex(false)
    /// Ends once the gateway listens on all of its addresses.
    private let listens = AsyncStream.makeStream(of: Void.self)
    private let running = Mutex<(calls: any CallHandling, table: RouteTable)?>(nil)

    /// Creates the service. It does not listen or call anything before ``run()``.
    /// - Parameters:
    ///   - queue: the queue, whose settings have been adapted (see ``settings(_:)``).
    ///   - runsWorker: whether the calls are made here; otherwise by workers of other processes.
    ///   - asksForKeys: whether a client on an address must send a key.
    ///   - onRunning: called once, when the gateway listens.
    package convenience init(
        _ queue: JobQueue, runsWorker: Bool = true, asksForKeys: Bool = true, logger: Logger,
        onRunning: @escaping @Sendable (Addresses) -> Void = { _ in }
    ) {
        self.init(
            queue, runsWorker: runsWorker, asksForKeys: asksForKeys, limits: GatewayLimits(queue.settings.serve), logger: logger,
            onRunning: onRunning)
    }

    init(
        _ queue: JobQueue, runsWorker: Bool, asksForKeys: Bool, limits: GatewayLimits, logger: Logger,
        onRunning: @escaping @Sendable (Addresses) -> Void
    ) {
        self.queue = queue
        self.runsWorker = runsWorker
        self.asksForKeys = asksForKeys
        self.limits = limits
        self.logger = logger
        self.onRunning = onRunning
    }

    /// The settings of a gateway's own worker, which makes as many calls at once as `serve.concurrency` says.
    package static func settings(_ settings: Settings) -> Settings {
        var settings = settings
        settings.worker.concurrency = settings.serve.concurrency
        return settings
    }

    /// The number of requests that wait for a job.
    var waiting: Int { running.withLock { $0?.calls }?.waiting ?? 0 }

    /// The routes; nil before it runs.
    var table: RouteTable? { running.withLock { $0?.table } }

    /// Serves until it is asked to stop or its task is cancelled.
    /// - Throws: `ListenError`, `StoreError`.
    package func run() async throws {
        let listeners = try Listener.all(queue.settings.serve, asksForKeys: asksForKeys)
        for listener in listeners { try listener.prepare() }
        let server = try await queue.store.gateway.register()
        let providers = ProviderSet(queue.settings, environment: queue.environment, own: queue.own)
        let outcome = await Self.result { try await serve(listeners, providers, server) }
        for listener in listeners { listener.cleanUp() }
        let end = await Self.result {
            try await providers.shutdown()
            try await queue.store.gateway.unregister(server)
        }
        try outcome.get()
        try end.get()
    }

    // MARK: Parts

    private enum Event: Sendable {
        case stopRequested
        case workerEnded
        case callsEnded
        case listenersEnded
    }

    private func serve(_ listeners: [Listener], _ providers: ProviderSet, _ server: Int64) async throws {
        let catalog = ModelCatalog(queue.settings, providers: providers.providers)
        let calls = CallHandler(
            queue, server: server, hasWorker: runsWorker, available: providers.names,
            counters: providers.providers.compactMap { $0 as? AnthropicProvider }, logger: logger, listed: { catalog.listed() })
        let limits = possibleLimits()
        let connections = Connections(limit: limits.connections)
        let handler = handler(calls, catalog, connections)
        running.withLock { $0 = (calls, handler.table) }
        let group = try serverGroup(listeners, connections, limits, handler, server)
        // Not a child of this task: a graceful shutdown is to reach the connections only after the calls have ended.
        let listening = Task.detached { try await group.run() }
        do {
            try await withTaskCancellationHandler {
                try await serve(calls, catalog, BatchKeeper(calls, logger: logger), connections, group, listening)
            } onCancel: {
                connections.cutAll()
                listening.cancel()
            }
        } catch {
            connections.cutAll()
            listening.cancel()
            // Only the first error matters.
            _ = await listening.result
            throw error
        }
    }

    private func serve(
        _ calls: any CallHandling, _ catalog: ModelCatalog, _ keeper: BatchKeeper, _ connections: Connections,
        _ group: ServiceGroup, _ listening: Task<Void, any Error>
    ) async throws {
        try await withThrowingTaskGroup(of: Event.self) { tasks in
            tasks.addTask {
                try await calls.run()
                return .callsEnded
            }
            tasks.addTask {
                await catalog.run()
                return .callsEnded
            }
            tasks.addTask {
                await keeper.run()
                return .callsEnded
            }
            tasks.addTask {
                try await withTaskCancellationHandler {
                    try await listening.value
                } onCancel: {
                    listening.cancel()
                }
                return .listenersEnded
            }
            tasks.addTask {
                try await gracefulShutdown()
                return .stopRequested
            }
            if runsWorker {
                let worker = WorkerService(queue, audience: calls, logger: logger)
                calls.use(worker)
                tasks.addTask { [listens] in
                    // A gateway that cannot listen does not start anything.
                    for await _ in listens.stream {}
                    try Task.checkCancellation()
                    try await worker.run()
                    return .workerEnded
                }
            }
            var workerEnded = false
            // The first of these ends everything; the parts that follow calls go on until they are cancelled.
            while let event = try await tasks.next(), event != .stopRequested, event != .listenersEnded {
                if event == .workerEnded {
                    workerEnded = true
                    break
                }
            }
            beginShutdown(calls)
            if runsWorker {
                while !workerEnded, let event = try await tasks.next() { workerEnded = event == .workerEnded }
            }
            let grace = runsWorker ? Self.parting : queue.settings.effectiveWorker.shutdownGrace
            await Self.wait(atMost: grace) { await calls.drained() }
            await group.triggerGracefulShutdown()
            connections.cutAll()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = await listening.result }
                group.addTask {
                    // Cancellation means that it has ended.
                    try? await Task.sleep(for: Self.parting)
                    listening.cancel()
                }
                await group.next()
                group.cancelAll()
            }
            tasks.cancelAll()
            // A part that was cancelled has no error to report.
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    /// How long answers that are ready may take to be sent at the end.
    private static let parting: Duration = .seconds(2)

    private func beginShutdown(_ calls: any CallHandling) {
        isStopping.withLock { $0 = true }
        calls.beginShutdown()
        logger.info("stopping", metadata: ["waiting": .stringConvertible(calls.waiting)])
    }

    private var stops: Bool { isStopping.withLock { $0 } }

    /// The limits with as many connections as the system allows the process.
    private func possibleLimits() -> GatewayLimits {
        var limits = self.limits
        limits.connections = DescriptorLimit.makeRoom(for: limits.connections)
        if limits.connections < self.limits.connections {
            logger.warning(
                "The system allows fewer connections than serve.max_connections; raise the limit of open files.",
                metadata: ["connections": .stringConvertible(limits.connections)])
        }
        return limits
    }

    private func handler(_ calls: CallHandler, _ catalog: ModelCatalog, _ connections: Connections) -> RequestHandler {
        let settings = queue.settings.serve
        let health = Health(queue.store) { [self] in stops }
        let metrics = MetricsRoute(
            store: queue.store, isOpen: settings.metrics == .open, requests: calls.metrics,
            gauges: MetricsRoute.Gauges(waiting: { calls.waiting }, connections: { connections.count }))
        let files = FileHandler(queue.store.files)
        let batches = BatchHandler(store: queue.store, settings: settings, server: calls.server)
        return RequestHandler(
            table: RouteTable(
                [OpenAPI.route, metrics.route] + health.routes + catalog.routes + calls.routes + files.routes + batches.routes
                    + JobRoutes(calls: calls).routes,
                prefix: Self.prefix(of: settings.publicURL)),
            connections: connections, keys: KeyRing(queue.store, isOpen: !asksForKeys), memory: BodyMemory(limit: limits.bodyMemory),
            settings: settings, metrics: calls.metrics, isStopping: { [self] in stops }, logger: logger)
    }

    private func serverGroup(
        _ listeners: [Listener], _ connections: Connections, _ limits: GatewayLimits, _ handler: RequestHandler,
        _ server: Int64
    ) throws -> ServiceGroup {
        // The server's own log repeats what is logged here.
        let silent = Logger(label: "agent-queue.http") { _ in SwiftLogNoOpLogHandler() }
        let running = RunningListeners(listeners.count) { [onRunning, listens, store = queue.store] addresses in
            listens.continuation.finish()
            Task {
                // The address only helps commands that ask for it, so that a failure to record it stops nothing.
                if let listen = addresses.listen { try? await store.gateway.listens(server, at: "\(listen)") }
                onRunning(addresses)
            }
        }
        let services = try listeners.map { listener in
            ListeningService(
                listener: listener,
                server: try listener.server(
                    connections, limits, logger: silent,
                    onRunning: { channel in
                        listener.protect()
                        running.add(listener, channel)
                    }
                ) { request, writer, channel in
                    try await handler.respond(to: request, writer, on: channel)
                })
        }
        return ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: silent))
    }

    /// The path of the address by which clients reach the gateway.
    static func prefix(of url: String?) -> String {
        guard let url, let scheme = url.firstRange(of: "://") else { return "" }
        let path = url[scheme.upperBound...].drop { $0 != "/" }
        return path.hasSuffix("/") ? String(path.dropLast()) : String(path)
    }

    // MARK: Waiting

    private static func wait(atMost time: Duration, _ body: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await body() }
            // Cancellation means that the wait is over.
            group.addTask { try? await Task.sleep(for: time) }
            await group.next()
            group.cancelAll()
        }
    }

    private static func result(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

/// One address or socket that the gateway listens on.
private struct ListeningService: Service {
    let listener: Listener
    let server: any Service

    func run() async throws {
        do { try await server.run() } catch { throw listener.failure(error) }
    }
}

/// Reports once that the gateway listens on all of its addresses.
private final class RunningListeners: Sendable {
    private let missing: Mutex<(count: Int, addresses: GatewayService.Addresses)>
    private let report: @Sendable (GatewayService.Addresses) -> Void

    init(_ count: Int, _ report: @escaping @Sendable (GatewayService.Addresses) -> Void) {
        missing = Mutex((count, GatewayService.Addresses()))
        self.report = report
    }

    func add(_ listener: Listener, _ channel: any Channel) {
        let all = missing.withLock { missing -> GatewayService.Addresses? in
            switch listener.place {
            case .address(let address):
                missing.addresses.listen = ListenAddress(host: address.host, port: channel.localAddress?.port ?? address.port)
            case .socket(let path): missing.addresses.socket = path
            }
            missing.count -= 1
            return missing.count == 0 ? missing.addresses : nil
        }
        if let all { report(all) }
    }
}
