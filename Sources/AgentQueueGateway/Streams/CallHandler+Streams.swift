import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import HTTPTypes

/// Answers that are streamed.
extension CallHandler {
    /// Sends the pieces as they come, and the end once the result is stored.
    func stream(_ call: ClientCall, _ exchange: Exchange) async throws {
        guard let renderer = ReplyRenderer.stream(call.form, context: call.context) else { return try await answer(call, exchange) }
        metrics.beginStream()
        defer { metrics.endStream() }
        var stream = CallStream(renderer, call, exchange.response, settings)
        var lane = LaneWatch(store, policies, deadline: call.deadline)
        var hasProbed = false
        var leader: (job: Int64, buffer: ReplyBuffer)?
        defer { if let leader { broker.leave(leader.job, leader.buffer, call.signal) } }
        while true {
            try checkPresence(exchange)
            // The order matters: once the jobs have ended, no more pieces follow.
            let isOver = hasEnded(call)
            guard try await stream.send() else { return try await stream.fail(Self.restarted) }
            if isOver { break }
            let now = ContinuousClock.now
            if let refusal = try lane.refusal(of: call.ticket.call, now: now), try await giveUp(call) {
                guard !exchange.response.hasBegun else { return try await stream.fail(refusal) }
                return try await refuse(call, refusal, [], exchange)
            }
            if lane.isPending, leader == nil, call.jobs.count == 1, let job = try self.leader(of: call) {
                // The answer of an identical job will be this one's too.
                leader = (job, broker.view(job, call.signal))
                stream.leader = leader?.buffer
                continue
            }
            // A client that has closed its side may have gone: the next write tells.
            let isProbe = exchange.presence.departure == .closedInput && !hasProbed
            if isProbe { hasProbed = true }
            if isProbe || now >= stream.nextPing { try await stream.ping() }
            await call.signal.wait(until: [stream.nextPing, lane.nextLook].compactMap(\.self).min())
        }
        let outcomes = try outcomes(of: call)
        note(outcomes, call, exchange)
        let answers: [Answer]
        do throws(GatewayError) {
            answers = try self.answers(outcomes, call, lane)
        } catch {
            guard exchange.response.hasBegun else { return try await refuse(call, error, outcomes, exchange) }
            return try await stream.fail(error)
        }
        guard try await stream.end(answers, outcomes) else { return try await stream.fail(Self.restarted) }
    }

    /// The job whose answer a job waits for, since it asks the same.
    private func leader(of call: ClientCall) throws -> Int64? {
        guard case .identicalJob(let leader)? = try store.jobs.wait(of: call.ticket.call) else { return nil }
        return leader
    }

    private static let restarted = GatewayError(
        .streamRestarted, "The answer had to be made anew and does not go on where this stream ended: send the request again to get it.")
}

/// What is sent of a call that is streamed.
private struct CallStream {
    private var renderer: any StreamRenderer
    private var viewers: [ReplyViewer]
    private let call: ClientCall
    private let response: ResponseWriter
    private let settings: ServeSettings
    /// What is known of the answer of an identical job, until the own job makes its call.
    var leader: ReplyBuffer?
    /// When the client has received nothing for so long that it gets a ping.
    private(set) var nextPing: ContinuousClock.Instant

    init(_ renderer: any StreamRenderer, _ call: ClientCall, _ response: ResponseWriter, _ settings: ServeSettings) {
        self.renderer = renderer
        self.call = call
        self.response = response
        self.settings = settings
        viewers = call.jobs.map { _ in ReplyViewer(call.form) }
        nextPing = call.arrivedAt + settings.ping
    }

    /// Sends the pieces that are there, in one write. Returns false if the answer cannot go on.
    mutating func send() async throws -> Bool {
        var bytes: [UInt8] = []
        do throws(ReplyViewer.Restarted) {
            for (sample, own) in call.buffers.enumerated() {
                let buffer = own.hasBegun ? own : leader ?? own
                for event in try viewers[sample].take(from: buffer, by: call.signal) { bytes += renderer.render(event, sample: sample) }
            }
        } catch {
            try await write(bytes)
            return false
        }
        try await write(bytes)
        return true
    }

    mutating func ping() async throws { try await write(renderer.ping(asChunk: settings.keepalive == .chunk)) }

    /// Sends the rest of the answers, which are stored. Returns false if they are others than those whose beginnings were sent.
    mutating func end(_ answers: [Answer], _ outcomes: [JobOutcome]) async throws -> Bool {
        var bytes: [UInt8] = []
        for (sample, answer) in answers.enumerated() {
            do throws(ReplyViewer.Restarted) { try viewers[sample].check(answer.reply) } catch { return false }
            bytes += renderer.end(answer, sample: sample)
        }
        try await write(bytes, outcomes)
        try await response.finish()
        return true
    }

    /// Ends the stream with an error, without the mark of a whole answer.
    mutating func fail(_ error: GatewayError) async throws {
        try await write(renderer.failure(error))
        try await response.finish()
        // The job goes on, and the client asks again.
        if error.cause == .streamRestarted { throw FailedAfterHead() }
    }

    private mutating func write(_ bytes: [UInt8], _ outcomes: [JobOutcome] = []) async throws {
        guard !bytes.isEmpty else { return }
        if !response.hasBegun { try await response.begin(200, HTTPFields(Self.head + call.headers(outcomes))) }
        try await response.write(bytes)
        nextPing = .now + settings.ping
    }

    private static let head: [(name: String, value: String)] = [
        ("content-type", "text/event-stream"), ("cache-control", "no-cache, no-transform"), ("x-accel-buffering", "no"),
    ]
}
