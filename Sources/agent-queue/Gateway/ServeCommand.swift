import AgentQueue
import AgentQueueGateway
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// `agent-queue serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer the APIs of OpenAI and Anthropic over HTTP.",
        discussion: """
            Calls become jobs of the queue, which a worker in the same process runs. The first start creates a key and keeps it in a file \
            next to the database; on a terminal, it prints the lines that point SDKs here. On SIGTERM, SIGINT, SIGHUP or SIGQUIT, calls \
            under way get `worker.shutdown_grace` to finish; a second signal, a second or more after the first, stops at once.

              agent-queue serve
              agent-queue serve --no-worker --log-format json
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Address to listen on, or none for --socket alone. Default: serve.listen, 127.0.0.1:8484.", valueName: "host:port"))
    var listen: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Unix socket to listen on as well; it needs no key. Default: serve.socket.", valueName: "file"),
        completion: .file())
    var socket: String?

    @Flag(name: .long, help: "Leave the calls to agent-worker.")
    var noWorker = false

    @Flag(name: .long, help: "Ask for no key; only on an address that other machines cannot reach.")
    var noAuth = false

    @Option(
        name: .long, help: ArgumentHelp("Log format: text or json. Default: text.", valueName: "format"), transform: ChoiceOption.parse)
    var logFormat: ServeLogFormat?

    @Option(
        name: .long, help: ArgumentHelp("Log level: debug, info, warning or error. Default: info.", valueName: "level"),
        transform: ChoiceOption.parse)
    var logLevel: ServeLogLevel?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard let listen, listen != "none" else { return }
        do throws(InvalidText) { _ = try ListenAddress(listen) } catch { throw ValidationError("--listen: \(error.message)") }
    }

    func run() async throws {
        let session = try Session(global, overrides: overrides)
        let serve = session.settings.serve
        if noAuth, let address = serve.listen, !address.isLoopback {
            throw CommandFailure(
                .usage, "--no-auth is for addresses of this machine alone, such as 127.0.0.1:8484; \(address) can be reached from others")
        }
        let format = logFormat ?? .text
        LoggingSystem.bootstrap { _ in ServeLog(format) }
        let logger = Self.logger(logLevel ?? .info)
        let queue = try JobQueue(
            GatewayService.settings(session.settings), environment: ServeEnvironment.cleaned(session.environment))
        defer { queue.store.close() }
        let key = LocalKey(database: session.settings.database)
        if !noAuth, serve.listen != nil {
            try await key.makeFirst(in: queue.store, secret: KeysCommand.randomSecret(), by: KeysCommand.actor)
        }
        let greeting = ServeGreeting(serve, key: key, asksForKeys: !noAuth)
        let service = StoppableService(
            GatewayService(queue, runsWorker: !noWorker, asksForKeys: !noAuth, logger: logger) { [noWorker] addresses in
                let listen = addresses.listen.map { "\($0)" } ?? "none"
                logger.info(
                    "listening",
                    metadata: [
                        "address": "\(listen)", "socket": "\(addresses.socket ?? "none")", "cache": "\(serve.cache ? "on" : "off")",
                        "worker": "\(noWorker ? "no" : "inside")",
                    ])
                greeting.print(addresses.listen)
            })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    // Stopped in reverse order, each after the next has ended.
                    .init(service: ServeSignals { service.stopAtOnce() }),
                    .init(
                        service: service, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: ServeSignals.asked, logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        do { try await group.run() } catch let error as ListenError { throw CommandFailure(Self.status(error.kind), error.description) }
    }

    private static func logger(_ level: ServeLogLevel) -> Logger {
        var logger = Logger(label: "agent-queue")
        logger.logLevel = level.level
        return logger
    }

    private static func status(_ kind: ListenError.Kind) -> ExitStatus {
        switch kind {
        case .inUse: .unavailable
        case .permission: .noPermission
        case .configuration: .badConfiguration
        case .other: .inputOutput
        }
    }

    private var overrides: [SettingsOverride] {
        [("serve.listen", listen, "--listen"), ("serve.socket", socket, "--socket")].compactMap { key, value, option in
            value.map { SettingsOverride(key: key, value: $0, option: option) }
        }
    }
}

/// The environment of a gateway.
enum ServeEnvironment {
    /// Without the keys of gateways: they are for clients, and a provider would be sent them as its own. An address of Anthropic's API that
    /// comes with such a key is a gateway's.
    static func cleaned(_ environment: [String: String]) -> [String: String] {
        var cleaned = environment
        for (name, value) in environment where KeyText(value) != nil {
            cleaned[name] = nil
            Diagnostics.say("\(name) holds the key of a gateway, which is not given to providers; set it in the shell of clients only")
        }
        if environment["ANTHROPIC_API_KEY"].flatMap({ KeyText($0) }) != nil { cleaned["ANTHROPIC_BASE_URL"] = nil }
        return cleaned
    }
}

/// Stops a service at once at the second request. The service group begins the shutdown at the first.
struct ServeSignals: Service {
    let stopAtOnce: @Sendable () -> Void

    init(stopAtOnce: @escaping @Sendable () -> Void) { self.stopAtOnce = stopAtOnce }

    /// Read it before the first of them is trapped.
    static let asked: [UnixSignal] = [.sigterm, .sigint] + [.sighup, .sigquit].filter { !IgnoredSignals.contains($0.rawValue) }

    func run() async throws {
        var requests = StopRequests()
        for await _ in await UnixSignalsSequence(trapping: Self.asked).cancelOnGracefulShutdown() {
            if requests.request() == .stopAtOnce { stopAtOnce() }
        }
    }
}

/// A service that can be stopped without its grace.
final class StoppableService: Service {
    private let service: any Service
    private let state = Mutex(State())

    private struct State {
        var task: Task<Void, any Error>?
        var stopsAtOnce = false
    }

    init(_ service: any Service) { self.service = service }

    func run() async throws {
        // The task inherits what tells of a graceful shutdown.
        let running = Task { [service] in try await service.run() }
        let isTooLate = state.withLock { state in
            state.task = running
            return state.stopsAtOnce
        }
        if isTooLate { running.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await running.value
            } onCancel: {
                running.cancel()
            }
        } catch  where state.withLock(\.stopsAtOnce) {
            // What breaks off because it was told to is no failure.
        }
    }

    func stopAtOnce() {
        let task = state.withLock { state in
            state.stopsAtOnce = true
            return state.task
        }
        task?.cancel()
    }
}
