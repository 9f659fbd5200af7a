import AgentQueueModel
import AgentQueueTestSupport
import NIOHTTP1
import Synchronization
import Testing

@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct CompressedAnswerTests {
    private func send(
        _ answer: ScriptedAnswer, compresses: Bool = false, _ configuration: HTTPTransport.Configuration = .init()
    ) async throws -> (Result<HTTPAnswer, HTTPFailure>, RecordedRequest?) {
        try await ScriptedServer.withServer(.always(answer), compresses: compresses) { server in
            try await withTransport(configuration) { transport in
                let call = HTTPCall(method: "POST", url: "\(server.url)/x", body: [1])
                let result = await transport.send(call, before: .now + .seconds(30))
                return (result, server.requests.first)
            }
        }
    }

    @Test func aCompressedAnswerIsAskedForAndDecoded() async throws {
        let body = Array(String(repeating: "Hello, hello. ", count: 1_000).utf8)
        let (result, request) = try await send(ScriptedAnswer(body: body), compresses: true)
        #expect(request?["accept-encoding"] == "gzip, deflate")
        #expect(try result.get().headers.contains(name: "content-encoding"))
        #expect(try result.get().body == body)
    }

    @Test func aProviderReadsACompressedAnswer() async throws {
        try await ScriptedServer.withServer(.always(ScriptedAnswer(json: hello)), compresses: true) { server in
            try await withTransport { transport in
                let provider = OpenAIProvider(name: "scripted", baseURL: "\(server.url)/v1", apiKey: nil, transport: transport)
                #expect(await provider.respond(to: chat).reply?.text == "Hello")
            }
        }
    }

    @Test func eventsOfACompressedStreamComeAsTheyAreSent() async throws {
        let gate = Gate()
        let answer = ScriptedAnswer(stream: "data: 1\n\ndata: 2\n\n", pauses: [(9, gate)])
        try await ScriptedServer.withServer(.always(answer), compresses: true) { server in
            try await withTransport { transport in
                let text = Mutex("")
                let pieces = Counter()
                let call = HTTPCall(method: "POST", url: "\(server.url)/x", body: [1])
                async let result = transport.receive(call, before: .now + .seconds(30)) { piece in
                    text.withLock { $0 += String(decoding: piece, as: UTF8.self) }
                    pieces.add()
                }
                try await pieces.wait(atLeast: 1)
                #expect(text.withLock(\.self) == "data: 1\n\n")
                gate.open()
                #expect(try await result.get().headers.contains(name: "content-encoding"))
                #expect(text.withLock(\.self) == "data: 1\n\ndata: 2\n\n")
            }
        }
    }

    @Test func theLimitHoldsForTheDecodedAnswer() async throws {
        let body = [UInt8](repeating: 65, count: 3 << 20)
        let (result, _) = try await send(ScriptedAnswer(body: body), compresses: true, .init(maxAnswerBytes: 1 << 20))
        #expect(result == .failure(.tooLarge(limit: 1 << 20)))
    }

    @Test func aDownloadIsDecodedHoweverLong() async throws {
        let body = [UInt8](repeating: 65, count: 3 << 20)
        try await ScriptedServer.withServer(.always(ScriptedAnswer(body: body)), compresses: true) { server in
            try await withTransport(.init(maxAnswerBytes: 1 << 20)) { transport in
                var count = 0
                let ending = try await transport.download(server.url, headers: [:], before: .now + .seconds(30)) { count += $0.count }
                #expect(try ending.get().headers.contains(name: "content-encoding"))
                #expect(count == body.count)
            }
        }
    }

    @Test(arguments: ["br", "zstd", "gzip, br", "gzip, gzip", "x-gzip"])
    func anEncodingThatWasNotAskedForIsAFailureThatSaysSo(encoding: String) async throws {
        let (result, _) = try await send(ScriptedAnswer(headers: [("content-encoding", encoding)], body: [1, 2, 3]))
        #expect(result == .failure(.encoded(encoding)))
        let failure = HTTPFailure.encoded(encoding).modelFailure(of: "http://h/v1", timeout: 1_000)
        #expect(failure.failure == .retryable)
        #expect(failure.isMaybePaid)
        #expect(
            failure.message == "http://h/v1 sent an answer in the encoding \(encoding), which was not asked for (gzip and deflate are)")
    }

    @Test func anAnswerThatIsNotEncodedIsReadAsItIs() async throws {
        let (result, _) = try await send(ScriptedAnswer(headers: [("content-encoding", "identity")], body: [1, 2, 3]))
        #expect(try result.get().body == [1, 2, 3])
    }

    @Test func damagedCompressionBreaksTheCall() async throws {
        for body: [UInt8] in [[1, 2, 3], [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xCB, 0x48]] {
            let (result, _) = try await send(ScriptedAnswer(headers: [("content-encoding", "gzip")], body: body))
            guard case .failure(.broken) = result else {
                Issue.record("\(result)")
                continue
            }
        }
    }

    @Test func anEmptyBodyNeedsNoEncoding() async throws {
        let (result, _) = try await send(ScriptedAnswer(200, headers: [("content-encoding", "gzip")], body: []))
        #expect(try result.get().body.isEmpty)
    }
}
