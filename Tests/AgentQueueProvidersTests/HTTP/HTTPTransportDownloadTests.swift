import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct HTTPTransportDownloadTests {
    private struct Stop: Error {}

    private func withServer(
        _ answer: ScriptedAnswer, _ configuration: HTTPTransport.Configuration = .init(),
        _ body: (ScriptedServer, HTTPTransport) async throws -> Void
    ) async throws {
        try await ScriptedServer.withServer(.always(answer)) { server in
            try await withTransport(configuration) { try await body(server, $0) }
        }
    }

    @Test func aGoodAnswerIsHandedOnHoweverLong() async throws {
        let body = Array(repeating: UInt8(65), count: 3 << 20)
        try await withServer(ScriptedAnswer(body: body), .init(maxAnswerBytes: 1 << 20)) { server, transport in
            var count = 0
            let ending = try await transport.download("\(server.url)/x?a=b", headers: ["x-one": "1"], before: .now + .seconds(30)) {
                count += $0.count
            }
            #expect(try ending.get().status == 200)
            #expect(try ending.get().body.isEmpty)
            #expect(count == body.count)
            #expect(server.requests.map(\.method) == ["GET"])
            #expect(server.requests[0].path == "/x?a=b")
            #expect(server.requests[0]["x-one"] == "1")
        }
    }

    @Test func anyOtherAnswerIsReadWhole() async throws {
        try await withServer(ScriptedAnswer(404, json: "{}"), .init(maxAnswerBytes: 2)) { server, transport in
            let ending = try await transport.download(server.url, headers: [:], before: .now + .seconds(30)) { _ in throw Stop() }
            #expect(try ending.get().body == Array("{}".utf8))
        }
        try await withServer(ScriptedAnswer(404, json: "{ }"), .init(maxAnswerBytes: 2)) { server, transport in
            let ending = try await transport.download(server.url, headers: [:], before: .now + .seconds(30)) { _ in }
            #expect(ending == .failure(.tooLarge(limit: 2)))
        }
    }

    @Test func whatTheTakerThrowsEndsIt() async throws {
        let answer = ScriptedAnswer(body: Array("1234".utf8), chunked: true, pauses: [(2, Gate())])
        try await withServer(answer) { server, transport in
            await #expect(throws: Stop.self) {
                try await transport.download(server.url, headers: [:], before: .now + .seconds(30)) { piece in
                    #expect(piece == Array("12".utf8))
                    throw Stop()
                }
            }
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func aBreakIsNoLackOfAConnectionAndIsNotRepeated() async throws {
        try await withServer(ScriptedAnswer(body: Array("123456".utf8), ending: .dropped(afterBytes: 3))) { server, transport in
            var text: [UInt8] = []
            let ending = try await transport.download(server.url, headers: [:], before: .now + .seconds(30)) { text += $0 }
            guard case .failure(.broken) = ending else { return #expect(Bool(false), "\(ending)") }
            #expect(text == Array("123".utf8))
            #expect(server.requests.count == 1)
        }
    }

    @Test func itEndsInTime() async throws {
        try await withServer(ScriptedAnswer(body: Array("123456".utf8), ending: .stalled(afterBytes: 3))) { server, transport in
            let came = Gate()
            let ending = try await transport.download(server.url, headers: [:], before: .now + .seconds(5)) { _ in came.open() }
            #expect(ending == .failure(.timedOut(hasBegun: false)))
            try await came.wait()
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func cancellingEndsIt() async throws {
        try await withServer(ScriptedAnswer(body: Array("123456".utf8), ending: .stalled(afterBytes: 3))) { server, transport in
            let came = Gate()
            let task = Task {
                try await transport.download(server.url, headers: [:], before: .now + .seconds(30)) { _ in came.open() }
            }
            try await came.wait()
            task.cancel()
            let ending = try await task.value
            #expect(ending == .failure(.cancelled(hasBegun: false)))
            try await server.waitForClientsToClose(1)
        }
    }

    @Test func aFailureOfTheTakersIsReturned() async throws {
        try await withServer(ScriptedAnswer(body: [65])) { server, transport in
            let ending = try await transport.download(server.url, headers: [:], before: .now + .seconds(30)) { _ in
                throw HTTPFailure.tooLarge(limit: 7)
            }
            #expect(ending == .failure(.tooLarge(limit: 7)))
        }
    }
}
