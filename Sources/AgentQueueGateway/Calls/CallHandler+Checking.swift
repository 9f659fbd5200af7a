import AgentQueue
import AgentQueueDialects
import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueStore

/// The checks of a request, before there is a job.
extension CallHandler {
    /// Reads a request and checks it in its own dialect.
    /// - Throws: `GatewayError`.
    func check(_ form: RequestForm, _ exchange: Exchange) async throws -> CheckedRequest {
        let body = try await exchange.body()
        do {
            return try check(form, body.bytes, exchange.head)
        } catch let error as RequestError {
            throw GatewayError(error)
        }
    }

    private func check(_ form: RequestForm, _ body: [UInt8], _ head: RequestHead) throws -> CheckedRequest {
        let headers = try CallHeaders(head.header)
        let name = try ClientRequest.model(of: body)
        let target = try self.target(of: name, form, head.caller)
        try checkIsServed(target)
        let dropsUnsupported = headers.dropsUnsupported ?? (settings.unsupported == .drop)
        // What the client asks of the gateway; the provider is asked to store nothing.
        let asked = form == .responses ? try AskedResponse(body) : nil
        let request = try ClientRequest(
            form: form, body: body, version: headers.version, betas: headers.betas, unsupported: dropsUnsupported ? .drop : .refuse,
            target: names.form(of: target.provider, for: form),
            earlier: try asked?.previous.map { try turns(before: $0, head.caller) },
            refusal: refusal(of: target))
        guard asked?.previous == nil || request.native.body.utf8.count <= settings.maxBody else {
            throw RequestError(
                "the conversation is \(request.native.body.utf8.count) bytes long with its earlier turns (at most \(settings.maxBody)): "
                    + "begin a new one with what matters of it",
                status: 413, code: "request_too_large", param: "input")
        }
        var policy = CallPolicy(headers, CallPolicy.KeyRules(head.caller), settings, serviceTier: request.serviceTier)
        let now = store.clock.wall()
        let deadline = now + policy.maxWait.milliseconds

        var context = self.context
        context.now = now
        let streams = request.streams && form != .embeddings
        var jobs = try CallJobs(context: context).jobs(
            of: request, for: target, policy, headers, isFollowed: streams && (!hasWorker || others.live()))
        if let job = jobs.first { try checkBudget(of: head.caller, job) }
        let isBackground = asked?.isBackground ?? false
        if isBackground {
            policy.onDisconnect = .finish
        } else {
            for index in jobs.indices { jobs[index].expiresAt = deadline }
        }
        var submission = GatewaySubmission(
            jobs: jobs, key: policy.key, form: form,
            attach: request.attachDigest(key: policy.key, route: head.path, sample: headers.sample ?? 0), server: server)
        submission.idempotencyKey = headers.idempotencyKey
        submission.isRetry = headers.retryCount > 0
        submission.trace = headers.trace
        if let asked, asked.isStored { submission.responseID = "resp_aq" + head.id.description.dropFirst("req_".count) }
        submission.previousResponse = asked?.previous
        submission.windows.idempotency = settings.idempotency.milliseconds
        submission.windows.ended = settings.attach.milliseconds

        var reply = ReplyContext(job: 0, model: target.model, created: now / 1_000, requestID: head.id.description)
        reply.samples = request.n
        reply.includesUsage = request.includesUsage
        reply.isBase64 = request.isBase64
        reply.request = asked?.repeated
        return CheckedRequest(
            submission: submission, target: target, policy: policy, streams: streams, isBackground: isBackground, context: reply,
            dropped: request.dropped, readTimeout: headers.readTimeout, deadline: isBackground ? .max : deadline)
    }

    /// Refuses at once what no worker would ever take.
    func checkIsServed(_ target: Target) throws(GatewayError) {
        guard hasWorker, !available.contains(target.provider), policies.routes[target.description] == nil else { return }
        throw GatewayError(
            .providerUnavailable,
            "The provider \(target.provider) cannot be called here: give the gateway its key or program, or ask for another model.")
    }

    /// Why a target whose provider speaks no form cannot be asked what members of a request say; nil where only it can tell.
    func refusal(of target: Target) -> (([JSONValue.Member]) -> ModelFailure?)? {
        guard context.kind(target.provider) == .claudeCode else { return nil }
        return { members in ClaudeCodeProvider.refusal(of: members) }
    }

    /// The target that a name stands for, if the key may use it.
    func target(of name: String, _ form: RequestForm, _ caller: Caller) throws -> Target {
        let target = try names.target(of: name, form: form)
        guard caller.mayUse(target) else {
            throw GatewayError(.forbidden, "The key \(caller.name) may not use \(target): use another key, or one of its models.")
        }
        return target
    }
}

/// What a request for a response asks of us and not of the provider.
private struct AskedResponse {
    let body: JSONValue
    var isStored: Bool { body["store"] != false }
    var isBackground: Bool { body["background"] == true }
    /// What the answer repeats of it: all but the conversation.
    var repeated: JSONValue { .object((body.members ?? []).filter { $0.key != "input" }) }
    var previous: String? { body["previous_response_id"]?.string }

    init(_ bytes: [UInt8]) throws(RequestError) {
        do { body = try JSONValue.parse(bytes) } catch { throw RequestError("the body is \(error)") }
        guard isStored || !isBackground else {
            throw RequestError("background needs store: a response that is not kept cannot be asked for later", param: "store")
        }
    }
}

extension CallPolicy.KeyRules {
    init(_ caller: Caller) {
        id = caller.keyID
        queue = caller.queue
        usesCache = caller.cache
        onDisconnect = caller.onDisconnect
        bestPriority = caller.bestPriority
    }
}
