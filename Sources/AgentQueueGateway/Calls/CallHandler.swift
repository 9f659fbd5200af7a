import AgentQueue
import AgentQueueDialects
import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import HTTPTypes
import Logging
import Synchronization

/// Makes calls of requests: checks them, adds their jobs, waits for these and answers.
///
/// A request is added before anything goes upstream, and its answer ends only after the job's result is stored. So a client that has seen
/// the end has a stored result, and one that has not finds its job again when it asks once more.
final class CallHandler: CallHandling {
    let store: QueueStore
    let settings: ServeSettings
    let names: ModelNames
    let policies: CallPolicies
    let broker: ReplyBroker
    let departures: Departures
    let others: OtherWorkers
    /// This process, as registered.
    let server: Int64
    /// Whether the worker of this process hands over pieces and ends; otherwise they come through the database.
    let hasWorker: Bool
    /// The names of the providers that the worker of this process can call.
    let available: Set<String>
    /// The providers that count tokens, by name.
    let counters: [String: AnthropicProvider]
    let context: IntakeContext
    let metrics = RequestMetrics()
    let logger: Logger
    private let state = Mutex(State())

    private struct State {
        /// The worker of this process, while it runs: it may take a job with the commit that adds it.
        var worker: WorkerService?
        var isStopping = false
        var waiting = 0
        /// Callers that wait until no request is waiting.
        var drains: [CheckedContinuation<Void, Never>] = []
    }

    /// - Parameters:
    ///   - available: the names of the providers that can be called.
    ///   - counters: the providers that count tokens.
    ///   - listed: the models that each provider lists, as far as they are known now.
    init(
        _ queue: JobQueue, server: Int64, hasWorker: Bool, available: Set<String>, counters: [AnthropicProvider] = [], logger: Logger,
        listed: @escaping @Sendable () -> [String: [String]] = { [:] }
    ) {
        store = queue.store
        settings = queue.settings.serve
        names = ModelNames(queue.settings, own: queue.own, listed: listed)
        policies = queue.settings.workerConfiguration(available: available).policies
        context = queue.settings.intakeContext(now: queue.store.clock.wall(), own: queue.own)
        let waiters = JobWaiters(queue.store, logger: logger)
        broker = ReplyBroker(waiters, streamMemory: Int(clamping: queue.settings.serve.streamMemory))
        departures = Departures(queue.store, server: server, logger: logger) { waiters.isViewed($0) }
        others = OtherWorkers(queue.store)
        self.server = server
        self.hasWorker = hasWorker
        self.available = available
        self.counters = Dictionary(counters.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.logger = logger
    }

    var routes: [Route] {
        let calls: [(path: String, form: RequestForm)] = [
            ("/v1/chat/completions", .chat), ("/v1/embeddings", .embeddings), ("/v1/messages", .messages), ("/v1/responses", .responses),
        ]
        return calls.map { path, form in
            Route(.post, path, scope: .call, content: .json) { [self] exchange in try await call(form, exchange) }
        } + [
            Route(.post, "/v1/messages/count_tokens", scope: .call, content: .json) { [self] exchange in
                try await countTokens(exchange)
            }
        ] + responseRoutes
    }

    // MARK: The audience of the worker

    func listener(for job: Int64) -> (@Sendable (ReplyEvent) -> Void)? { broker.listener(for: job) }

    func called(_ target: Target, for jobs: [Int64], took duration: Duration) {
        metrics.addCall(target, duration)
        broker.waiters.called(for: jobs, took: duration)
    }

    func ended(_ job: Int64, _ state: JobState) { broker.ended(job, state) }

    // MARK: Its own life

    var waiting: Int { state.withLock(\.waiting) }

    /// How often, at most, jobs that ended elsewhere are looked for. Where the worker of this process hands over its own, only
    /// cancellations are left.
    private static let (often, rarely): (Duration, Duration) = (.milliseconds(2), .milliseconds(50))

    func run() async throws {
        // The worker holds this object as its audience: without this, neither would be freed.
        defer { state.withLock { $0.worker = nil } }
        await withDiscardingTaskGroup { group in
            group.addTask { [self] in await broker.waiters.run { hasWorker && !others.live() ? Self.rarely : Self.often } }
            group.addTask { [self] in await departures.run() }
            group.addTask { [self] in await FilePieces(store, broker, logger: logger).run() }
        }
    }

    func beginShutdown() { state.withLock { $0.isStopping = true } }

    func drained() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.waiting > 0, !Task.isCancelled else { return true }
                    state.drains.append(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            wakeDrains()
        }
    }

    private func wakeDrains() {
        let drains = state.withLock { state in
            defer { state.drains = [] }
            return state.drains
        }
        for drain in drains { drain.resume() }
    }

    func enter() throws(GatewayError) {
        let obstacle = state.withLock { state -> GatewayError? in
            if state.isStopping { return GatewayError(.shuttingDown, "The gateway is stopping: send the request again in a moment.") }
            guard state.waiting < settings.maxWaiting else {
                return GatewayError(.overloaded, "\(settings.maxWaiting) requests wait already: send this one again later.")
            }
            state.waiting += 1
            return nil
        }
        if let obstacle { throw obstacle }
    }

    func leave() {
        let isLast = state.withLock { state in
            state.waiting -= 1
            return state.waiting == 0
        }
        if isLast { wakeDrains() }
    }

    // MARK: Calls

    /// Takes a request through its whole life.
    func call(_ form: RequestForm, _ exchange: Exchange) async throws {
        try enter()
        defer { leave() }
        let call = try await open(form, exchange)
        guard call.isBackground, !call.streams else { return try await respond(to: call, exchange) }
        close(call)
        try await answerInBackground(call, exchange)
    }

    /// Checks a request, adds its jobs and begins to wait for them. The request is released when this returns: a waiting client holds no body.
    private func open(_ form: RequestForm, _ exchange: Exchange) async throws -> ClientCall {
        let checked = try await check(form, exchange)
        let mark = broker.beginSubmission(isStreamed: checked.streams)
        defer { broker.endSubmission(isStreamed: checked.streams) }
        var call = join(JoinedJobs(try await submit(checked.submission)), checked, exchange, since: mark)
        // The answer does not depend on these headers.
        if exchange.head.caller.hasLimits { call.limitHeaders = (try? limitHeaders(exchange.head)) ?? [] }
        return call
    }

    /// Waits for a call's jobs and answers, or sees the client leave.
    func respond(to call: ClientCall, _ exchange: Exchange) async throws {
        exchange.presence.onDeparture { [signal = call.signal] _ in signal.call() }
        defer { exchange.presence.onDeparture(nil) }
        do {
            try await call.streams ? stream(call, exchange) : answer(call, exchange)
            // An answer that is sent whole to a client that has closed its side may not have reached it.
            if exchange.presence.departure == nil || (call.streams && exchange.presence.departure == .closedInput) {
                store.gateway.received([call.ticket.call])
            }
            close(call)
        } catch {
            let last = close(call)
            // A gateway that stops is not left by its clients: they come back, here or at another.
            if let last, !(error is Interrupted), exchange.presence.departure != .stopped {
                // A client whose answer was cut is told to send the request again, so its job must still be there.
                let wasCut = error is FailedAfterHead && call.policy.onDisconnect == .cancel
                departures.left(
                    call.ticket.call, client: last, wasCut ? .auto : call.policy.onDisconnect, isStreamed: call.streams)
            }
            if error is Interrupted { throw CancellationError() }
            // A failed write to a client that has gone is no error.
            let hasLeft = error is ClientLeft || exchange.presence.departure == .disconnected
            exchange.notes.update { $0.outcome = hasLeft ? "left" : error is FailedAfterHead ? "failed" : $0.outcome }
            throw hasLeft ? ClientLeft() : error
        }
    }

    /// Begins to wait for a call's jobs.
    /// - Parameter mark: when they were submitted; nil if they were not.
    func join(
        _ ticket: JoinedJobs, _ checked: CheckedRequest, _ exchange: Exchange, since mark: JobWaiters.Mark? = nil
    ) -> ClientCall {
        let signal = CallSignal()
        for job in ticket.jobs {
            broker.waiters.wait(for: job.id, signal, client: ticket.client, since: mark)
            if job.state.isFinal { broker.waiters.ended(job.id, job.state) }
        }
        let buffers = checked.streams ? ticket.jobs.map { broker.view($0.id, signal) } : []
        exchange.notes.update { notes in
            notes.job = ticket.call
            notes.target = "\(checked.target)"
            notes.attached = ticket.attached
        }
        return ClientCall(checked, ticket, buffers, exchange.head, signal)
    }

    /// Lets a worker take jobs with the commits that add them.
    func use(_ worker: WorkerService) { state.withLock { $0.worker = worker } }

    private func submit(_ submission: GatewaySubmission) async throws -> GatewayTicket {
        do {
            guard submission.form != .embeddings, let worker = state.withLock(\.worker), let slot = worker.beginDirectClaim() else {
                return try await store.gateway.submit(submission)
            }
            var claimed: [ClaimedJob] = []
            defer { worker.endDirectClaim(claimed) }
            let ticket: GatewayTicket
            (ticket, claimed) = try await store.gateway.submit(submission, claiming: slot)
            return ticket
        } catch let error as IdempotencyConflict {
            throw GatewayError(
                .idempotencyConflict, "The Idempotency-Key belongs to another request (job \(error.job)): use a new one for this request.")
        } catch let error as StoreError {
            throw GatewayError(error)
        }
    }

    /// Ends the wait. Returns the latest client of the call, if no other of this process waits for it.
    @discardableResult
    private func close(_ call: ClientCall) -> Int64? {
        for (job, buffer) in zip(call.jobs, call.buffers) { broker.leave(job, buffer, call.signal) }
        for job in call.jobs.dropFirst() { broker.waiters.stop(job, call.signal) }
        return broker.waiters.stop(call.ticket.call, call.signal)
    }
}

/// The gateway stops, or the request's task was cancelled: the client has not left by itself.
struct Interrupted: Error {}

/// Why a client was not sent a whole answer, where that is no fault of the gateway.
protocol UnfinishedAnswer: Error {}

/// The client has left.
struct ClientLeft: UnfinishedAnswer {}

/// The answer failed after its head: only a connection that is cut tells the client.
struct FailedAfterHead: UnfinishedAnswer {}

extension GatewayError {
    init(_ error: StoreError) { self.init(.storageUnavailable, error.message) }
}

extension HTTPFields {
    /// - Parameter pairs: lower-case names and values. What is no name of a header is left out.
    init(_ pairs: [(name: String, value: String)]) {
        self.init()
        for (name, value) in pairs {
            guard let name = HTTPField.Name(name) else { continue }
            append(HTTPField(name: name, value: value))
        }
    }
}
