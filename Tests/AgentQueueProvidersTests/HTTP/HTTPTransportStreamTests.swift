import AgentQueueModel
import AgentQueueTestSupport
import Synchronization
import Testing

@testable import AgentQueueProviders

/// What a stream brings, and how many times it did.
private final class Heard: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    private let heads = Mutex<[Int]>([])
    let pieces = Counter()

    func take(_ piece: [UInt8]) {
        bytes.withLock { $0 += piece }
        pieces.add()
    }

    func begin(_ head: HTTPAnswer) { heads.withLock { $0.append(head.status) } }

    var text: String { String(decoding: bytes.withLock(\.self), as: UTF8.self) }
    var statuses: [Int] { heads.withLock(\.self) }
}

@Suite(.timeLimit(.minutes(1))) struct HTTPTransportStreamTests {
    private func receive(
        _ answer: ScriptedAnswer, timeout: Duration = .seconds(30), _ configuration: HTTPTransport.Configuration = .init(),
        limits: StreamLimits = StreamLimits(),
        _ body: (Heard, ScriptedServer, @escaping @Sendable () async -> Result<HTTPAnswer, HTTPFailure>) async throws -> Void
    ) async throws {
        try await ScriptedServer.withServer(.always(answer)) { server in
            try await withTransport(configuration) { transport in
                let heard = Heard()
                let call = HTTPCall(method: "POST", url: "\(server.url)/x", body: [1, 2, 3])
                try await body(heard, server) {
                    await transport.receive(call, before: .now + timeout, limits: limits, onPart: heard.take, onHead: heard.begin)
                }
            }
        }
    }

    @Test func piecesComeAsTheyAreSent() async throws {
        let gate = Gate()
        try await receive(ScriptedAnswer(stream: "data: 1\n\ndata: 2\n\n", pauses: [(9, gate)])) { heard, _, call in
            async let result = call()
            try await heard.pieces.wait(atLeast: 1)
            #expect(heard.text == "data: 1\n\n")
            gate.open()
            let answer = try await result.get()
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
            #expect(heard.text == "data: 1\n\ndata: 2\n\n")
            #expect(heard.statuses == [200])
        }
    }

    @Test func anythingElseIsReadWhole() async throws {
        var refused = ScriptedAnswer(stream: "data: 1\n\n")
        refused.status = 400
        let answers = [refused, ScriptedAnswer(json: "{}"), ScriptedAnswer(headers: [("content-type", "text/event-streams")], body: [65])]
        for answer in answers {
            try await receive(answer) { heard, _, call in
                let read = try await call().get()
                #expect(read.body == answer.body)
                #expect(heard.text.isEmpty)
                #expect(heard.statuses.isEmpty)
            }
        }
    }

    @Test func theDeadlineHoldsForStreams() async throws {
        let answer = ScriptedAnswer(stream: "data: 1\n\n", ending: .stalled(afterBytes: 9))
        try await receive(answer, timeout: .seconds(5)) { heard, server, call in
            #expect(await call() == .failure(.timedOut(hasBegun: true)))
            #expect(heard.text == "data: 1\n\n")
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func aStreamThatDoesNotBeginIsEnded() async throws {
        try await receive(.hang, limits: StreamLimits(firstByte: 500, idle: 60_000)) { _, server, call in
            #expect(await call() == .failure(.stalled(after: 500, hasBegun: true)))
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func aStreamThatFallsSilentIsEnded() async throws {
        let answer = ScriptedAnswer(stream: "data: 1\n\n", ending: .stalled(afterBytes: 9))
        try await receive(answer, limits: StreamLimits(firstByte: 60_000, idle: 500)) { heard, server, call in
            let result = await call()
            #expect(result == .failure(.stalled(after: 500, hasBegun: true)))
            #expect(heard.text == "data: 1\n\n")
            if case .failure(let failure) = result {
                let told = failure.modelFailure(of: "http://h", timeout: 1)
                #expect(told.failure == .timedOut && told.isMaybePaid && told.message == "http://h had sent nothing for 500ms")
            }
            try await server.waitForClientsToClose(1)
        }
    }

    /// What comes at its end, when the model is done, is not a stream.
    @Test func aWholeAnswerMayBeSilentForAsLongAsTheCallMayTake() async throws {
        let answer = ScriptedAnswer(json: "{}", ending: .stalled(afterBytes: 1))
        try await receive(answer, timeout: .seconds(16), limits: StreamLimits(firstByte: 15_000, idle: 100)) { _, _, call in
            #expect(await call() == .failure(.timedOut(hasBegun: true)))
        }
    }

    @Test func cancellingEndsAStream() async throws {
        try await receive(ScriptedAnswer(stream: "data: 1\n\n", ending: .stalled(afterBytes: 9))) { heard, server, call in
            let task = Task { await call() }
            try await heard.pieces.wait(atLeast: 1)
            task.cancel()
            #expect(await task.value == .failure(.cancelled(hasBegun: true)))
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func aStreamThatBreaksIsBroken() async throws {
        try await receive(ScriptedAnswer(stream: "data: 1\n\ndata: 2\n\n", ending: .dropped(afterBytes: 12))) { heard, _, call in
            guard case .failure(let failure) = await call() else { return #expect(Bool(false), "not broken") }
            #expect(failure.hasBegun)
            #expect("data: 1\n\ndat".hasPrefix(heard.text))
        }
    }

    @Test func aStreamIsBoundedToo() async throws {
        let text = String(repeating: "data: 0123456789\n\n", count: 100_000)
        try await receive(ScriptedAnswer(stream: text), .init(maxAnswerBytes: 1 << 20)) { heard, server, call in
            #expect(await call() == .failure(.tooLarge(limit: 1 << 20)))
            #expect(heard.text.utf8.count <= 1 << 20)
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func whatNeverLeftCostsNothing() async throws {
        try await withTransport(.init(maxRetries: 0)) { transport in
            let call = HTTPCall(method: "POST", url: "http://127.0.0.1:1/x", body: [1])
            guard case .failure(let failure) = await transport.receive(call, before: .now + .seconds(10), onPart: { _ in }) else {
                return #expect(Bool(false), "answered")
            }
            #expect(!failure.hasBegun)
        }
        #expect(!HTTPFailure.untrusted("x").hasBegun)
        #expect(!HTTPFailure.unsendable("x").hasBegun)
        #expect(HTTPFailure.broken("x").hasBegun)
    }
}
