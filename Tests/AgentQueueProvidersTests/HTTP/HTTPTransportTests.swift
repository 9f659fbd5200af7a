import AgentQueueModel
import AgentQueueTestSupport
import Glibc
import NIOCore
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct HTTPTransportTests {
    /// An address where nobody listens.
    func closedPort() async throws -> Int {
        try await ScriptedServer.withServer(.always(.hang)) { $0.port }
    }

    @Test func theDeadlineEndsACallThatIsNotAnswered() async throws {
        try await withProvider(answer: .hang) { provider, server in
            let start = ContinuousClock.now
            let failure = try #require(await provider.respond(to: chat, timeout: 1_500).failure)
            #expect(failure.failure == .timedOut)
            #expect(failure.isMaybePaid)
            #expect(failure.message == "\(server.url)/v1 had not answered after 1.5s")
            #expect(ContinuousClock.now - start < .seconds(10))
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func theDeadlineCoversTheBodyToo() async throws {
        try await withProvider(answer: ScriptedAnswer(json: hello, ending: .stalled(afterBytes: 20))) { provider, server in
            #expect(await provider.respond(to: chat, timeout: 1_500).failure?.failure == .timedOut)
            try await server.waitForClientsToClose(1)
        }
    }

    @Test(arguments: [ScriptedAnswer.hang, ScriptedAnswer(json: hello, ending: .stalled(afterBytes: 20))])
    func cancellingAbortsTheRequest(answer: ScriptedAnswer) async throws {
        try await withProvider(answer: answer) { provider, server in
            let call = Task { await provider.respond(to: [chat], CallOptions(timeout: 60_000)) }
            try await server.waitForRequests(1)
            let start = ContinuousClock.now
            call.cancel()
            let failure = try #require(await call.value.first?.failure)
            #expect(failure.failure == .cancelled)
            #expect(failure.isMaybePaid)
            try await server.waitForClientsToClose(1)
            #expect(ContinuousClock.now - start < .seconds(1))
            #expect(server.openConnections == 0)
        }
    }

    @Test func aCancelledTaskCallsNothing() async throws {
        try await withProvider(answer: ScriptedAnswer(json: hello)) { provider, server in
            let call = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await provider.respond(to: [chat, embedding("a")], CallOptions(timeout: 60_000))
            }
            let outcomes = await call.value
            #expect(outcomes.map { $0.failure?.failure } == [.cancelled, .cancelled])
            #expect(outcomes.allSatisfy { $0.failure?.isMaybePaid == false })
            #expect(server.requests.isEmpty)
        }
    }

    @Test func afterAnAbortTheTransportGoesOn() async throws {
        let answers = Script.inTurn(.hang, ScriptedAnswer(json: hello))
        try await withProvider(transport: .init(poolSize: 1), answers: answers) { provider, server in
            let call = Task { await provider.respond(to: chat) }
            try await server.waitForRequests(1)
            call.cancel()
            #expect(await call.value.failure?.failure == .cancelled)
            #expect(await provider.respond(to: chat).reply?.text == "Hello")
        }
    }

    @Test func aRefusedConnectionIsNotTheCallsFault() async throws {
        let port = try await closedPort()
        try await withTransport { transport in
            let provider = OpenAIProvider(name: "p", baseURL: "http://127.0.0.1:\(port)/v1", apiKey: nil, transport: transport)
            let failure = await provider.respond(to: chat).failure
            #expect(
                failure == ModelFailure(.unreachable, "http://127.0.0.1:\(port)/v1 cannot be reached: connection refused", scope: .provider)
            )
        }
    }

    @Test func anUnknownHostIsNotTheCallsFault() async throws {
        try await withTransport(.init(maxRetries: 0)) { transport in
            let provider = OpenAIProvider(name: "p", baseURL: "http://no-such-host.invalid/v1", apiKey: nil, transport: transport)
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == .unreachable && failure.scope == .provider)
            #expect(failure.message.contains("cannot be resolved"))
        }
    }

    @Test func connectionsThatFailBeforeSendingAreRetried() async throws {
        try await ScriptedServer.withServer(.always(ScriptedAnswer(json: hello))) { server in
            try await withTransport(.init(connectTimeout: 5_000, maxRetries: 2)) { transport in
                let provider = OpenAIProvider(name: "p", baseURL: "https://127.0.0.1:\(server.port)/v1", apiKey: nil, transport: transport)
                let failure = try #require(await provider.respond(to: chat).failure)
                #expect(failure.failure == .unreachable)
                #expect(failure.message == "https://127.0.0.1:\(server.port)/v1 cannot be reached: the TLS handshake failed")
                #expect(server.connections == 3)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func anAddressThatIsNoneIsPermanent() async throws {
        try await withTransport { transport in
            for url in ["nonsense", "ftp://h/v1", "http://"] {
                let provider = OpenAIProvider(name: "p", baseURL: url, apiKey: nil, transport: transport)
                #expect(await provider.respond(to: chat).failure?.failure == .permanent, "\(url)")
            }
        }
    }

    @Test(arguments: [ScriptedAnswer.Ending.droppedUnanswered, .dropped(afterBytes: 0), .dropped(afterBytes: 30)])
    func aConnectionThatBreaksAfterSendingIsNotRetriedHere(ending: ScriptedAnswer.Ending) async throws {
        try await withProvider(answer: ScriptedAnswer(json: hello, ending: ending)) { provider, server in
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == .retryable)
            #expect(failure.message.contains("broke off"), "\(failure.message)")
            #expect(failure.isMaybePaid)
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: [false, true]) func aLargeAnswerIsCutOff(chunked: Bool) async throws {
        let answer = ScriptedAnswer(body: [UInt8](repeating: 0x20, count: 3 << 20), chunked: chunked)
        try await withProvider(transport: .init(maxAnswerBytes: 2 << 20), answers: .always(answer)) { provider, server in
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == .invalidReply)
            #expect(failure.isMaybePaid)
            #expect(failure.message == "\(server.url)/v1 sent an answer of more than 2 MiB")
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func largeBodiesGoBothWays() async throws {
        let text = String(repeating: "0123456789", count: 400_000)
        try await withProvider(
            answers: Script { ScriptedAnswer(json: #"{"choices":[{"message":{"content":"\#($0.body.count) \#(text)"}}]}"#) }
        ) { provider, server in
            let messages: JSONValue = [["role": "user", "content": .string(text)]]
            let request = ModelRequest(kind: .generate, target: chat.target, body: ["messages": messages])
            let reply = try #require(await provider.respond(to: request).reply?.text)
            let sent = try #require(server.requests.first?.body.count)
            #expect(sent > 4_000_000)
            // Compared here, so that a failure does not print megabytes.
            let isWhole = reply == "\(sent) \(text)"
            #expect(isWhole)
        }
    }

    @Test func twentyCallsRunAtOnceAndShareConnectionsLater() async throws {
        let gate = Gate()
        try await withProvider(answers: .always(ScriptedAnswer(json: hello, after: gate))) { provider, server in
            async let outcomes = provider.respond(to: Array(repeating: chat, count: 20), CallOptions(timeout: 30_000))
            try await server.waitForRequests(20)
            gate.open()
            #expect(await outcomes.allSatisfy { $0.reply != nil })
            #expect(server.mostOpenConnections == 20)
            for _ in 0..<5 { #expect(await provider.respond(to: chat).reply != nil) }
            #expect(server.connections == 20)
        }
    }

    @Test func moreCallsThanConnectionsTakeTurns() async throws {
        try await withProvider(transport: .init(poolSize: 2), answers: .always(ScriptedAnswer(json: hello))) { provider, server in
            let outcomes = await provider.respond(to: Array(repeating: chat, count: 20), CallOptions(timeout: 30_000))
            #expect(outcomes.allSatisfy { $0.reply != nil })
            #expect(server.mostOpenConnections <= 2)
        }
    }

    /// Others hold the connections: that is no news of the server.
    @Test func waitingForAConnectionOfOnesOwnIsNotTheServersFault() async throws {
        // Long enough for the two to connect on a busy machine.
        try await withProvider(transport: .init(poolSize: 2, connectTimeout: 3_000, maxRetries: 0), answers: .always(.hang)) {
            provider, server in
            let holders = Task { await provider.respond(to: Array(repeating: chat, count: 2), CallOptions(timeout: 60_000)) }
            try await server.waitForRequests(2)
            let failure = try #require(await provider.respond(to: chat).failure)
            #expect(failure.failure == .unreachable && failure.isOwnShortage && !failure.wasSent && !failure.isMaybePaid)
            #expect(failure.message == "\(server.url)/v1 was not called: other calls hold every connection to it")
            holders.cancel()
            _ = await holders.value
        }
    }

    @Test(arguments: [(EMFILE, true), (ENFILE, true), (ENOMEM, true), (ENOBUFS, true), (ECONNREFUSED, false), (ENETUNREACH, false)])
    func whatThisProcessLacksIsNotTheServersFault(_ code: CInt, _ isOwn: Bool) {
        let error = HTTPFailure(IOError(errnoCode: code, reason: "connect"), bodyBegun: false, maxAnswerBytes: 1)
        let failure = error.modelFailure(of: "http://h", timeout: 1_000)
        #expect(failure.failure == .unreachable && failure.isOwnShortage == isOwn && failure.wasSent == !isOwn && !failure.isMaybePaid)
    }

    /// Nothing was sent, so the job's attempt does not count.
    @Test func aCallThatEndsBeforeItHasAConnectionIsNotSent() {
        let late = HTTPFailure.timedOut(hasBegun: false)
        #expect(late.after(SendProgress(), hasBody: true) == .unreachable("no connection opened before the call's timeout"))
        #expect(late.after(SendProgress(), hasBody: false) == .timedOut(hasBegun: false))
        let begun = SendProgress()
        begun.begin()
        #expect(late.after(begun, hasBody: true) == .timedOut(hasBegun: true))
    }

    @Test func shuttingDownEndsCallsUnderWay() async throws {
        try await ScriptedServer.withServer(.always(.hang)) { server in
            let transport = HTTPTransport()
            let provider = OpenAIProvider(name: "p", baseURL: server.url, apiKey: nil, transport: transport)
            let call = Task { await provider.respond(to: chat, timeout: 60_000) }
            try await server.waitForRequests(1)
            try await transport.shutdown()
            #expect(await call.value.failure?.failure == .shutdown)
            #expect(await provider.respond(to: chat).failure?.failure == .shutdown)
        }
    }

    @Test func waitsGrowAndStayShort() {
        #expect((1...7).map { HTTPTransport.wait(beforeRetry: $0, jitter: 1) } == [100, 200, 400, 800, 1_600, 2_000, 2_000])
        #expect(HTTPTransport.wait(beforeRetry: 1, jitter: 0) == 50)
    }
}

@Suite struct BaseURLTests {
    @Test(arguments: [
        ("http://127.0.0.1:8089/v1", "http://127.0.0.1:8089/v1"),
        ("HTTP://Example.COM:80/V1//", "http://example.com/V1"),
        ("https://api.openai.com:443/v1/", "https://api.openai.com/v1"),
        ("https://user:pass@h/v1?key=1#x", "https://h/v1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("nonsense/", "nonsense"),
    ])
    func oneAddressHasOneSpelling(text: String, shown: String) {
        #expect(BaseURL(text).shown == shown)
    }

    @Test func queriesAndCredentialsAreKeptApart() {
        let base = BaseURL("https://user:p%40ss@h/v1/?api-version=2")
        #expect(base.endpoint("/models") == "https://h/v1/models?api-version=2")
        #expect(base.credentials == "user:p%40ss")
    }
}
