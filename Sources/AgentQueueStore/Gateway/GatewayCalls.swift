import AgentQueueModel

/// A client's request as it enters the queue: one job, or one for each sample that it asks for.
package struct GatewaySubmission: Sendable {
    /// In the order of the samples.
    package var jobs: [NewJob]
    /// The id of the key that sent it; 0 where none is asked for.
    package var key: Int64
    /// The form in which the client wrote it.
    package var form: RequestForm
    /// SHA-256 of everything that makes two requests the same, the key included, 32 bytes.
    package var attach: [UInt8]
    /// The client's `Idempotency-Key`.
    package var idempotencyKey: String?
    /// Whether the client says that it has sent the request before.
    package var isRetry = false
    /// The id by which the client will ask for the answer later.
    package var responseID: String?
    /// The response that this one continues.
    package var previousResponse: String?
    /// The client's `traceparent`.
    package var trace: String?
    /// The process that the client is connected to, as registered by ``GatewayStore/register()``.
    package var server: Int64
    package var windows = AttachWindows()

    package init(jobs: [NewJob], key: Int64, form: RequestForm, attach: [UInt8], server: Int64) {
        self.jobs = jobs
        self.key = key
        self.form = form
        self.attach = attach
        self.server = server
    }
}

/// How long a request may attach to an earlier one like it, in milliseconds.
package struct AttachWindows: Sendable, Equatable {
    /// How long an idempotency key names its call, from when the call was added.
    package var idempotency: Int64 = 86_400_000
    /// How long a call can be attached to after it has ended.
    package var ended: Int64 = 600_000

    package init() {}
}

/// The receipt for a submission.
package struct GatewayTicket: Sendable, Equatable {
    /// The jobs that stand for the request, in the order of its samples.
    package var jobs: [Enqueued]
    /// Why these are the jobs of an earlier request; nil if they are new.
    package var attached: Attachment?
    /// The id by which the client may ask for the answer later.
    package var responseID: String?
    /// What became of the jobs, if they all had ended before: there is nothing to wait for.
    package var outcomes: [JobOutcome] = []
    /// Which of the call's clients this one is, from 1.
    package var client: Int64 = 1

    /// The job that speaks for the call.
    package var call: Int64 { jobs.first?.id ?? 0 }
}

/// Why a request was attached to an earlier one.
package enum Attachment: String, Sendable, Equatable, CaseIterable {
    /// It has the earlier one's idempotency key.
    case idempotency
    /// The client says that it is a retry.
    case retry
    /// The earlier one has lost all its clients.
    case lost
}

/// An idempotency key that was used for another request.
package struct IdempotencyConflict: Error, Equatable {
    /// The job of the other request.
    package var job: Int64
}

/// A call as the gateway knows it.
package struct GatewayCall: Sendable, Equatable {
    /// Its jobs, in the order of the samples.
    package var jobs: [Int64]
    /// The id of the key that sent it; 0 where none was asked for.
    package var key: Int64
    package var form: RequestForm
    package var responseID: String?
    package var previousResponse: String?
    package var trace: String?
    /// When it was added (wall clock, in milliseconds).
    package var createdAt: Int64
    /// When a client had been sent its end (wall clock, in milliseconds); nil if none has been.
    package var receivedAt: Int64?
    /// When its last client left (wall clock, in milliseconds); nil if one waits or has received the end.
    package var lostAt: Int64?
}

extension GatewayStore {
    /// Registers this process as one that clients wait at. Its calls count as lost from the moment it ends, however that happens.
    /// - Returns: the number for ``GatewaySubmission/server``.
    package func register() async throws -> Int64 {
        // It serves no queue: the jobs are its workers'.
        try await store.claims.registerWorker(queues: []).id
    }

    /// Records where this gateway listens: a host and a port.
    package func listens(_ server: Int64, at address: String) async throws {
        _ = try await write { transaction in
            try transaction.statement("UPDATE workers SET listens_at = ? WHERE id = ?").bind(address).bind(server).run()
        }
    }

    /// Returns where the newest gateway listens that runs; nil if none does.
    package func address() throws -> String? {
        let known = try read { reader in
            try reader.statement("SELECT id, listens_at FROM workers WHERE listens_at IS NOT NULL").all { ($0.int64(0), $0.text(1)) }
        }
        guard !known.isEmpty else { return nil }
        let addresses = Dictionary(known, uniquingKeysWith: { $1 })
        let running = try store.maintenance.workers().last { addresses[$0.id] != nil && store.maintenance.isRunning($0) }
        return running.flatMap { addresses[$0.id] }
    }

    /// Ends the registration. Calls that clients still wait for count as lost.
    package func unregister(_ server: Int64) async throws {
        try await flush()
        try await store.claims.unregisterWorker(server)
    }

    /// Returns the call that a job belongs to; nil if it did not come through the gateway.
    package func call(of job: Int64) throws -> GatewayCall? {
        try read { reader in
            let call = try reader.statement("SELECT call_id FROM gateway_calls WHERE job_id = ?").bind(job).number()
            return try call.flatMap { try Self.call($0, reader) }
        }
    }

    /// Returns the call with a response id; nil if there is none, or if another key sent it.
    /// - Parameter key: the key that asks; nil for any.
    package func call(response: String, key: Int64?) throws -> GatewayCall? {
        try read { reader in
            let call = try reader.statement("SELECT call_id FROM gateway_calls WHERE response_id = ?").bind(response).number()
            guard let call, let found = try Self.call(call, reader), key == nil || found.key == key else { return nil }
            return found
        }
    }

    /// How many responses a conversation has that ends with this one, as far as they are kept.
    /// - Parameter limit: where counting ends.
    package func turns(until response: String, atMost limit: Int) throws -> Int {
        try read { reader in
            let previous = try reader.statement("SELECT previous_response FROM gateway_calls WHERE response_id = ?")
            var (count, last) = (0, Optional(response))
            while count < limit, let id = last, let found = try previous.bind(id).first({ $0.optionalText(0) }) {
                count += 1
                last = found
            }
            return count
        }
    }

    private static func call(_ id: Int64, _ reader: ReadConnection) throws -> GatewayCall? {
        let found = try reader.statement(
            """
            SELECT key_id, form, response_id, previous_response, trace, created_at, received_at, lost_at
            FROM gateway_calls JOIN jobs ON jobs.id = job_id WHERE job_id = ?
            """
        ).bind(id).first { row in
            GatewayCall(
                jobs: [id], key: row.int64(0), form: RequestForm(rawValue: row.text(1)) ?? .chat, responseID: row.optionalText(2),
                previousResponse: row.optionalText(3), trace: row.optionalText(4), createdAt: row.int64(5),
                receivedAt: row.optionalInt64(6), lostAt: row.optionalInt64(7))
        }
        guard var call = found else { return nil }
        call.jobs += try reader.statement("SELECT job_id FROM gateway_calls WHERE call_id = ? AND choice > 0 ORDER BY choice")
            .bind(id).all { $0.int64(0) }
        return call
    }
}
