import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Logging
import ServiceLifecycle
import Synchronization

@testable import AgentQueueGateway

/// A gateway that listens, with a queue in a file and an upstream whose answers a test decides.
struct LiveGateway: Sendable {
    let service: GatewayService
    let queue: JobQueue
    let upstream: ScriptedServer
    let addresses: GatewayService.Addresses
    let lines: LogLines
    let shutdown: @Sendable () async -> Void

    var port: Int { addresses.listen?.port ?? 0 }

    /// The number of requests that wait for a job.
    var waiting: Int { get throws { service.waiting } }

    /// Makes a key and returns its text.
    func key(_ name: String, scopes: Set<KeyScope> = [.call]) async throws -> String {
        let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let key = try await queue.store.keys.create(NewAPIKey(name: name, scopes: scopes), secret: secret, by: "test")
        return KeyText(id: key.id, secret: secret).text
    }
}

/// What a gateway logged.
final class LogLines: LogHandler, Sendable {
    private let state = Mutex<[String]>([])

    var all: [String] { state.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .info }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        state.withLock { $0.append("\(event.level) \(event.message)\(fields)") }
    }
}

/// How a test's gateway differs from one that nothing was configured for.
struct GatewayPlan {
    /// What the upstream answers.
    var script = Script.always(ScriptedAnswer(500, json: "{}"))
    var serve = ServeSettings()
    /// Changes the other settings.
    var configure: (inout Settings) -> Void = { _ in }
    var limits = GatewayLimits(ServeSettings())
    var asksForKeys = false
    var runsWorker = true
}

/// Starts a gateway, lends it, and stops it.
func withGateway<Value: Sendable>(
    _ script: Script, asksForKeys: Bool = false, runsWorker: Bool = true,
    configure: @escaping (inout Settings) -> Void = { _ in }, _ body: (LiveGateway) async throws -> Value
) async throws -> Value {
    try await withGateway(
        GatewayPlan(script: script, configure: configure, asksForKeys: asksForKeys, runsWorker: runsWorker), body)
}

/// Starts a gateway, lends it, and stops it.
func withGateway<Value: Sendable>(
    _ plan: GatewayPlan = GatewayPlan(), _ body: (LiveGateway) async throws -> Value
) async throws -> Value {
    try await withFolder { folder in
        try await ScriptedServer.withServer(plan.script) { upstream in
            var settings = Settings(database: "\(folder)/queue.db")
            settings.serve = plan.serve
            if settings.serve.listen == .standard { settings.serve.listen = ListenAddress(host: "127.0.0.1", port: 0) }
            settings.providers = ["local": settings.providers["local"]].compactMapValues { $0 }
            settings.providers["local"]?.baseURL = "\(upstream.url)/v1"
            plan.configure(&settings)
            let queue = try JobQueue(GatewayService.settings(settings), environment: [:])
            let running = AsyncStream.makeStream(of: GatewayService.Addresses.self)
            let lines = LogLines()
            let service = GatewayService(
                queue, runsWorker: plan.runsWorker, asksForKeys: plan.asksForKeys, limits: plan.limits,
                logger: Logger(label: "test") { _ in lines }
            ) { running.continuation.yield($0) }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [
                        .init(
                            service: service, successTerminationBehavior: .gracefullyShutdownGroup,
                            failureTerminationBehavior: .gracefullyShutdownGroup)
                    ], logger: Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }))
            let task = Task {
                defer { running.continuation.finish() }
                try await group.run()
            }
            var started = running.stream.makeAsyncIterator()
            guard let addresses = await started.next() else {
                try await task.value
                throw TookTooLong("the gateway ended before it listened")
            }
            let gateway = LiveGateway(service: service, queue: queue, upstream: upstream, addresses: addresses, lines: lines) {
                await group.triggerGracefulShutdown()
            }
            let result: Result<Value, any Error>
            do { result = .success(try await body(gateway)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            let end = await task.result
            try await queue.close()
            let value = try result.get()
            try end.get()
            return value
        }
    }
}
