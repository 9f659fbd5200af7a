import AgentQueueModel

@testable import AgentQueueStore

extension Fixture {
    /// A request of a client of this process: the same name is the same request.
    func submission(
        _ name: String, samples: Int = 1, key: Int64 = 7, server: Int64? = nil, _ configure: (inout NewJob) -> Void = { _ in }
    ) -> GatewaySubmission {
        let jobs = (0..<samples).map { sample in
            var job = NewJob.asking(samples > 1 ? "\(name) \(sample)" : name)
            job.useCache = false
            job.native = NativeRequest(form: .chat, body: #"{"model": "m",  "n": 1.0}"#)
            configure(&job)
            return job
        }
        return GatewaySubmission(
            jobs: jobs, key: key, form: .chat, attach: APIKey.hash(of: Array("\(key) \(name)".utf8)), server: server ?? worker)
    }

    /// A request that its client has sent before.
    func retry(_ name: String, _ configure: (inout NewJob) -> Void = { _ in }) -> GatewaySubmission {
        var submission = submission(name, configure)
        submission.isRetry = true
        return submission
    }

    /// Sends a request, and tells what became of it.
    @discardableResult
    func submit(
        _ name: String, samples: Int = 1, key: Int64 = 7, server: Int64? = nil, by store: QueueStore? = nil,
        _ configure: (inout GatewaySubmission) -> Void = { _ in }
    ) async throws -> GatewayTicket {
        var submission = submission(name, samples: samples, key: key, server: server)
        configure(&submission)
        return try await (store ?? self.store).gateway.submit(submission)
    }

    /// Claims the job of a call, and completes it.
    func answer(_ ticket: GatewayTicket) async throws {
        let jobs = try await claim()
        for job in jobs where ticket.jobs.contains(where: { $0.id == job.id }) { _ = try await complete(job) }
    }
}
