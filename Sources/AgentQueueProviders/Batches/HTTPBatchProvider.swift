import AgentQueueModel
import NIOHTTP1

/// A provider whose batches are reached over HTTP, OpenAI's or Anthropic's.
///
/// The two differ in how a batch is written, described and found again. Asking how it is doing, cancelling it, going through the list and
/// downloading results is the same for both, and is done here.
package protocol HTTPBatchProvider: BatchProvider {
    /// How the server describes a batch.
    associatedtype Description: BatchDescription

    /// Where the API is.
    var connection: APIConnection { get }
    /// Where batches are, such as `/batches`.
    static var batchesPath: String { get }
    /// The member of the query that continues a list after an id, such as `after`.
    static var listCursor: String { get }

    /// The headers of a call without a body.
    var plainHeaders: HTTPHeaders { get }
    /// Reads the server's description of a batch; nil where it is none.
    func describe(_ body: JSONValue) -> Description?
    /// Whether a body of a good status tells of an error.
    static func isError(_ body: JSONValue) -> Bool
    /// The failure that an answer tells of.
    /// - Parameter bodies: the requests that the server's words may quote; nil where they are not at hand, and its words are left out.
    func refusal(_ answer: HTTPAnswer, bodies: [JSONValue]?) -> ModelFailure
    /// The server's id of a call.
    func requestID(_ answer: HTTPAnswer) -> String?
    /// What an answer's headers say about rate limits.
    func limits(_ answer: HTTPAnswer) -> ObservedLimits?
}

/// A server's description of a batch.
package protocol BatchDescription: Sendable {
    /// The batch, as the queue knows it.
    var remote: RemoteBatch { get }
}

extension RemoteBatch: BatchDescription {
    package var remote: RemoteBatch { self }
}

extension HTTPBatchProvider {
    /// The state of a batch.
    package func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        do throws(ModelFailure) {
            return .success(try await description(of: id, CallLimit(timeout: timeout)).remote)
        } catch {
            return .failure(error)
        }
    }

    /// Cancels a batch. One that has ended already is returned as it is.
    package func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        let limit = CallLimit(timeout: timeout)
        do throws(ModelFailure) {
            return .success(try description(in: try await fetch("POST", try path(of: id) + "/cancel", limit)).remote)
        } catch {
            // A batch that has ended cannot be cancelled, and each server says so in its own way. If it cannot be read either, the refusal
            // says more than that second failure.
            guard error.wasSent, [.permanent, .retryable].contains(error.failure), let known = try? await description(of: id, limit).remote,
                known.status != .inProgress
            else { return .failure(error) }
            return .success(known)
        }
    }

    /// The outcome, with what the server said of a failure, but without what the request says.
    package func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome {
        let outcome = result.explained(by: connection.redaction(of: [request.body]))
        guard case .reply(var reply) = outcome, let native = result.native, request.native?.form == native.form else { return outcome }
        reply.native = NativeReply(form: native.form, body: native.body.text)
        return .reply(reply)
    }

    // MARK: Calls

    /// Sends a request that costs nothing, and returns a good answer's JSON.
    /// - Parameter query: members of the query.
    func fetch(_ method: String, _ path: String, query: String = "", _ limit: CallLimit) async throws(ModelFailure) -> JSONValue {
        let call = HTTPCall(method: method, url: connection.address(path, query: query), headers: plainHeaders)
        do throws(ModelFailure) {
            return try document(try await connection.exchange(call, limit), bodies: [])
        } catch {
            throw BatchDownload.unpaid(error)
        }
    }

    /// The JSON of a good answer.
    /// - Parameter bodies: the requests that the server's words may quote; nil where there are too many, and its words are left out.
    func document(_ answer: HTTPAnswer, bodies: [JSONValue]?) throws(ModelFailure) -> JSONValue {
        let parsed = Result { () throws(JSONError) in try JSONValue.parseLeniently(answer.body) }
        guard (200..<300).contains(answer.status) else { throw refusal(answer, bodies: bodies) }
        switch parsed {
        case .success(let body):
            guard !Self.isError(body) else { throw refusal(answer, bodies: bodies) }
            return body
        case .failure(let error):
            throw ModelFailure(
                .invalidReply, "\(connection.shown) answered \(answer.status) with what is \(error)", requestID: requestID(answer),
                limits: limits(answer))
        }
    }

    /// The batch that an answer to the request that makes one describes.
    /// - Throws: a failure that says whether the batch may be there all the same.
    func submitted(_ answer: HTTPAnswer, bodies: [JSONValue]?) throws(ModelFailure) -> RemoteBatch {
        do throws(ModelFailure) {
            return try description(in: try document(answer, bodies: bodies)).remote
        } catch {
            throw error.ofSubmission(status: answer.status)
        }
    }

    /// Reads result lines from an address.
    /// - Parameter result: what a line says; nil where it names no item.
    func download(_ url: String, result: @escaping (JSONValue) -> BatchItemResult?) -> BatchDownload {
        BatchDownload(connection: connection, url: url, headers: plainHeaders, refusal: { refusal($0, bodies: []) }, result: result)
    }

    // MARK: Descriptions

    func description(in body: JSONValue) throws(ModelFailure) -> Description {
        guard let batch = describe(body) else { throw ModelFailure(.invalidReply, "\(connection.shown) answered without a batch") }
        return batch
    }

    func description(of id: String, _ limit: CallLimit) async throws(ModelFailure) -> Description {
        try description(in: try await fetch("GET", try path(of: id), limit))
    }

    private func path(of id: String) throws(ModelFailure) -> String {
        guard RemoteID.isUsable(id) else { throw ModelFailure.unsent("the batch has a name that cannot be asked for") }
        return "\(Self.batchesPath)/\(RemoteID.escaped(id))"
    }

    /// The batches created at a time (wall clock, ms) or later, as the server lists them: the newest first.
    func batches(since: Int64, _ limit: CallLimit) async throws(ModelFailure) -> [Description] {
        var found: [Description] = []
        var last: String?
        for _ in 0..<BatchRules.maxPages {
            let query = "limit=100" + (last.map { "&\(Self.listCursor)=\(RemoteID.escaped($0))" } ?? "")
            let page = try await fetch("GET", Self.batchesPath, query: query, limit)
            guard let data = page["data"]?.array else {
                throw ModelFailure(.invalidReply, "\(connection.shown) answered without a list of batches")
            }
            let batches = data.compactMap(describe)
            // Servers may round times down to whole seconds.
            let recent = batches.filter { $0.remote.createdAt + 999 >= since }
            found += recent
            let next = RemoteID.read(page["last_id"]) ?? batches.last?.remote.id
            guard !recent.isEmpty, page["has_more"]?.bool ?? true, let next, next != last else { return found }
            last = next
        }
        throw ModelFailure(.retryable, "\(connection.shown) lists too many batches to find one")
    }
}
