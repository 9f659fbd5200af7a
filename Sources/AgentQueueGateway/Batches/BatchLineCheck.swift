import AgentQueue
import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Makes jobs of a batch's requests, by the rules of calls.
struct BatchLineCheck {
    private let calls: CallHandler
    private let batch: ClientBatch
    private let caller: Caller
    private let use: KeyUse?
    private let policy: CallPolicy
    private let context: IntakeContext

    /// A batch never delays a call.
    private static let priority = 7

    /// - Parameter caller: the key that the batch belongs to.
    init(_ calls: CallHandler, _ batch: ClientBatch, _ caller: Caller) throws {
        self.calls = calls
        self.batch = batch
        self.caller = caller
        use = caller.hasLimits ? try calls.store.keys.use(of: caller.keyID) : nil
        var policy = CallPolicy(CallHeaders(), CallPolicy.KeyRules(caller), calls.settings)
        if let queue = caller.queues.last, queue.utf8.count <= JobLimits.maxNameBytes { policy.queue = queue }
        policy.priority = max(Self.priority, policy.priority)
        self.policy = policy
        var context = calls.context
        context.now = calls.store.clock.wall()
        self.context = context
    }

    /// The job of a request, and the model as the client calls it.
    /// - Throws: `GatewayError`, `StoreError`.
    func job(of request: BatchRequest) throws -> (job: NewJob, model: String) {
        do {
            return try make(request)
        } catch let error as RequestError {
            throw GatewayError(error)
        }
    }

    private func make(_ line: BatchRequest) throws -> (job: NewJob, model: String) {
        let name = try ClientRequest.model(of: line.body)
        let target = try calls.target(of: name, batch.form, caller)
        try calls.checkIsServed(target)
        let request = try ClientRequest(
            form: batch.form, body: line.body, version: batch.version, betas: batch.betas,
            unsupported: calls.settings.unsupported == .drop ? .drop : .refuse,
            target: calls.names.form(of: target.provider, for: batch.form), earlier: try earlier(line),
            refusal: calls.refusal(of: target))
        guard !request.streams else { throw Self.unsupported("stream", "a batch's answers are not streamed: leave stream out") }
        guard request.n == 1 else { throw Self.unsupported("n", "a batch's request has one answer: repeat the request instead of n") }
        guard request.native.body.utf8.count <= calls.settings.maxBody else {
            throw RequestError("the request is longer than serve.max_body", status: 413, code: "request_too_large")
        }
        let jobs = try CallJobs(context: context).jobs(of: request, for: target, policy, CallHeaders(), isFollowed: false)
        guard var job = jobs.first else { throw GatewayError(.malformed, "The request asks for nothing.") }
        if use?.refusal(of: job, calls.policies, name: caller.name) == .unpriced { throw CallHandler.unpriced(target, caller) }
        job.customID = line.customID
        job.expiresAt = batch.expiresAt
        // The requests of a provider's batch share their headers.
        job.usesBatchAPI = batch.betas.isEmpty && context.usesBatchAPI(target) && hasBatchAPI(target, job.kind)
        if job.usesBatchAPI { job.deadline = batch.expiresAt }
        return (job, name)
    }

    private func hasBatchAPI(_ target: Target, _ kind: JobKind) -> Bool {
        switch context.kind(target.provider) {
        case .openai: true
        case .anthropic: kind != .embed
        case .claudeCode, nil: false
        }
    }

    /// The items of the conversation that a request for a response continues.
    private func earlier(_ line: BatchRequest) throws -> [JSONValue]? {
        guard batch.form == .responses else { return nil }
        let body: JSONValue
        do { body = try JSONValue.parse(line.body) } catch { throw RequestError("the body is \(error.description)") }
        guard body["background"] != true else { throw Self.unsupported("background", "a batch is in the background: leave it out") }
        return try body["previous_response_id"]?.string.map { try calls.turns(before: $0, caller) }
    }

    private static func unsupported(_ param: String, _ message: String) -> RequestError {
        RequestError(message, code: "unsupported_parameter", param: param)
    }
}

/// Errors of requests that became no jobs, as they are stored.
extension GatewayError {
    var stored: LineError {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        return LineError(["cause": .string("\(cause)"), "message": .string(message), "param": text(param), "code": text(code)])
    }

    init(stored: JSONValue) {
        let name = stored["cause"]?.string
        self.init(
            Cause.allCases.first { "\($0)" == name } ?? .malformed, stored["message"]?.string ?? "The request cannot be asked.",
            param: stored["param"]?.string, code: stored["code"]?.string)
    }
}
