import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore
import HTTPTypes

/// Responses that a client asks for again by their id: those of calls that are kept, as far as the jobs are.
extension CallHandler {
    var responseRoutes: [Route] {
        [
            Route(.get, "/v1/responses/{id}", scope: .call) { [self] in try await showResponse($0) },
            Route(.post, "/v1/responses/{id}/cancel", scope: .call) { [self] in try await cancelResponse($0) },
            Route(.delete, "/v1/responses/{id}", scope: .call) { [self] in try await deleteResponse($0) },
            Route(.get, "/v1/responses/{id}/input_items", scope: .call) { [self] in try await showInput($0) },
        ]
    }

    /// How long a client that polls an unfinished response should wait between requests, in ms.
    private static let pollAfter = 1_000

    /// The items that a response's successor continues: its input and its output.
    /// - Throws: `RequestError` if there is no such response, or it has no answer.
    func turns(before id: String, _ caller: Caller) throws -> [JSONValue] {
        guard let call = try store.gateway.call(response: id, key: caller.keyID), let job = call.jobs.first,
            let native = try store.gateway.native(of: job), let outcome = try store.gateway.outcomes(of: [job])[job]
        else {
            throw RequestError(
                "there is no response \(InvalidText.quoted(id)), or no longer: send the whole conversation as input",
                code: "previous_response_not_found", param: "previous_response_id")
        }
        func unusable(_ reason: String, _ advice: String) -> RequestError {
            RequestError(
                "the response \(InvalidText.quoted(id)) \(reason): \(advice)", code: "previous_response_not_found",
                param: "previous_response_id")
        }
        guard outcome.state.isFinal else { throw unusable("is not completed", "wait for it, or send the whole conversation as input") }
        // Why it has no answer was told to who asked for it.
        guard let answer = try? outcome.answer() else { throw unusable("has no answer", "send the whole conversation as input") }
        guard try store.gateway.turns(until: id, atMost: Self.maxTurns) < Self.maxTurns else {
            throw RequestError(
                "the conversation has \(Self.maxTurns) responses already: send what matters of it as input, without previous_response_id",
                param: "previous_response_id")
        }
        let body = ResponsesReplyRenderer.body(of: answer, ResponseBody(call, native, outcome).context(requestID: ""))
        return Self.input(of: native) + (body["output"]?.array ?? []).filter(Self.canBeSent)
    }

    /// The most responses of a conversation that are put together by their ids.
    private static let maxTurns = 200

    /// Whether an item of an answer can be part of a later request. Thoughts that are neither told nor encrypted are known by their id
    /// alone, and only to who made them and was told to keep nothing.
    private static func canBeSent(_ item: JSONValue) -> Bool {
        guard item["type"] == "reasoning", item["encrypted_content"]?.string == nil else { return true }
        return item["content"]?.array?.isEmpty == false && item["id"]?.string?.hasPrefix("rs_aq") != true
    }

    /// The input of a request, as items.
    private static func input(of native: NativeRequest) -> [JSONValue] {
        // A stored request was checked before.
        switch (try? JSONValue.parse(native.body))?["input"] {
        case .array(let items): items
        case .string(let text): [["role": "user", "content": .string(text)]]
        default: []
        }
    }

    /// Answers a request that does not wait for its response.
    func answerInBackground(_ call: ClientCall, _ exchange: Exchange) async throws {
        let body = try response(call.context.responseID ?? "", exchange.head).json(requestID: call.requestID)
        try await exchange.response.send(200, Self.json(call.headers()), body: body.utf8(sorted: false))
    }

    private func response(_ id: String, _ head: RequestHead) throws -> ResponseBody {
        guard let call = try store.gateway.call(response: id, key: head.caller.keyID), let job = call.jobs.first,
            let outcome = try store.gateway.outcomes(of: [job])[job], let native = try store.gateway.native(of: job)
        else { throw GatewayError(.notFound, "There is no response \(InvalidText.quoted(id)), or no longer.") }
        return ResponseBody(call, native, outcome)
    }

    private func showResponse(_ exchange: Exchange) async throws {
        let id = exchange.head.parameters["id"] ?? ""
        let found = try response(id, exchange.head)
        if exchange.head.query.contains(where: { $0.name == "stream" && $0.value == "true" }) {
            return try await follow(found, exchange)
        }
        try await send(found, exchange)
    }

    private func send(_ found: ResponseBody, _ exchange: Exchange) async throws {
        var headers: [(name: String, value: String)] = []
        if !found.outcome.state.isFinal { headers.append(("openai-poll-after-ms", "\(Self.pollAfter)")) }
        let body = try found.json(requestID: exchange.head.id.description)
        try await exchange.response.send(200, Self.json(headers), body: body.utf8(sorted: false))
    }

    /// Streams a response that was asked for before, from its first piece or after those that the client has.
    private func follow(_ found: ResponseBody, _ exchange: Exchange) async throws {
        guard let target = Target(found.outcome.result?.target ?? found.outcome.error?.target ?? "") ?? found.target else {
            throw GatewayError(.notFound, "The response cannot be streamed.")
        }
        var context = found.context(requestID: exchange.head.id.description)
        if let text = exchange.head.query.first(where: { $0.name == "starting_after" })?.value {
            guard let number = Int(text), number >= 0 else {
                throw GatewayError(.malformed, "starting_after must be the sequence_number of an event.", param: "starting_after")
            }
            context.startingAfter = number
        }
        var submission = GatewaySubmission(jobs: [], key: found.call.key, form: .responses, attach: [], server: server)
        submission.responseID = found.call.responseID
        var policy = CallPolicy(CallHeaders(), CallPolicy.KeyRules(exchange.head.caller), settings)
        // A client that only reads a response ends nothing by leaving.
        policy.onDisconnect = .finish
        let checked = CheckedRequest(
            submission: submission, target: target, policy: policy, streams: true, context: context, dropped: [], readTimeout: nil,
            deadline: .max)
        let ticket = JoinedJobs(
            jobs: found.call.jobs.map { Enqueued(id: $0, state: found.outcome.state) }, attached: .idempotency,
            responseID: found.call.responseID)
        try enter()
        defer { leave() }
        try await respond(to: join(ticket, checked, exchange), exchange)
    }

    private func cancelResponse(_ exchange: Exchange) async throws {
        let found = try response(exchange.head.parameters["id"] ?? "", exchange.head)
        // Cancelling what has ended changes nothing.
        _ = try await store.jobs.cancel(ids: found.call.jobs, by: exchange.head.caller.name)
        try await send(try response(exchange.head.parameters["id"] ?? "", exchange.head), exchange)
    }

    private func deleteResponse(_ exchange: Exchange) async throws {
        let id = exchange.head.parameters["id"] ?? ""
        let found = try response(id, exchange.head)
        guard found.outcome.state.isFinal else {
            throw GatewayError(.malformed, "The response is not finished: cancel it first.", param: "response_id")
        }
        _ = try await store.jobs.delete(ids: found.call.jobs, by: exchange.head.caller.name)
        let body: JSONValue = ["id": .string(id), "object": "response", "deleted": true]
        try await exchange.response.send(200, Self.json([]), body: body.utf8(sorted: false))
    }

    private func showInput(_ exchange: Exchange) async throws {
        let found = try response(exchange.head.parameters["id"] ?? "", exchange.head)
        func asked(_ name: String) -> String? { exchange.head.query.first { $0.name == name }?.value }
        let limit = asked("limit").map { Int($0) ?? 0 } ?? 20
        guard (1...100).contains(limit) else { throw GatewayError(.malformed, "limit must be 1 to 100.", param: "limit") }
        var items = Self.input(of: found.native).enumerated().map { place, item in
            var members = item.members ?? []
            if item["id"] == nil { members.append(.init("id", .string("item_aq\(found.call.jobs.first ?? 0)_\(place)"))) }
            if item["type"] == nil { members.insert(.init("type", "message"), at: 0) }
            return JSONValue.object(members)
        }
        if asked("order") != "asc" { items.reverse() }
        if let after = asked("after") {
            guard let place = items.firstIndex(where: { $0["id"]?.string == after }) else {
                throw GatewayError(.malformed, "after must be the id of an item.", param: "after")
            }
            items = Array(items[(place + 1)...])
        }
        let page = Array(items.prefix(limit))
        let body: JSONValue = [
            "object": "list", "data": .array(page), "first_id": page.first?["id"] ?? .null, "last_id": page.last?["id"] ?? .null,
            "has_more": .bool(items.count > page.count),
        ]
        try await exchange.response.send(200, Self.json([]), body: body.utf8(sorted: false))
    }
}

/// A response as its job stands.
private struct ResponseBody {
    let call: GatewayCall
    let native: NativeRequest
    let outcome: JobOutcome
    private let request: JSONValue

    init(_ call: GatewayCall, _ native: NativeRequest, _ outcome: JobOutcome) {
        self.call = call
        self.native = native
        self.outcome = outcome
        // The provider was told to store nothing; the client is told that the gateway does. (A stored request was checked before.)
        let sent = ((try? JSONValue.parse(native.body)) ?? [:]).members ?? []
        request = .object(
            sent.filter { $0.key != "store" && $0.key != "previous_response_id" }
                + [.init("store", true), .init("previous_response_id", call.previousResponse.map { .string($0) } ?? .null)])
    }

    /// The target as the client named it, if it did.
    var target: Target? { request["model"]?.string.flatMap { Target($0) } }

    func context(requestID: String) -> ReplyContext {
        var context = ReplyContext(
            job: call.jobs.first ?? 0, model: request["model"]?.string ?? "", created: call.createdAt / 1_000, requestID: requestID)
        context.responseID = call.responseID
        context.request = request
        return context
    }

    func json(requestID: String) throws -> JSONValue {
        let context = context(requestID: requestID)
        switch outcome.state {
        case .running: return ResponsesReplyRenderer.body(status: "in_progress", context)
        case .available, .scheduled, .pending, .retryable: return ResponsesReplyRenderer.body(status: "queued", context)
        case .cancelled: return ResponsesReplyRenderer.body(status: "cancelled", context)
        case .completed, .discarded:
            do throws(GatewayError) {
                return ResponsesReplyRenderer.body(of: try outcome.answer(), context)
            } catch {
                return ResponsesReplyRenderer.body(of: error, context)
            }
        }
    }
}
