import AgentQueueModel
import Foundation
import NIOHTTP1
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

/// What the fuzzers (scripts/fuzz) found worth keeping: each input once more.
@Suite struct FuzzCorpusTests {
    private static func corpus(_ name: String) throws -> [[UInt8]] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: tests.appending(path: "Fuzz/Corpus/\(name).txt"), encoding: .utf8)
        let inputs = text.split(separator: "\n").compactMap { Data(base64Encoded: String($0)).map { [UInt8]($0) } }
        #expect(inputs.count == text.split(separator: "\n").count)
        return inputs
    }

    @Test func eventsAreTheSameHoweverTheStreamIsCut() throws {
        func events(_ pieces: [[UInt8]]) -> [ServerSentEvent]? {
            var parser = ServerSentEventParser(maxEventBytes: 4_096)
            guard let events = try? pieces.flatMap({ try parser.feed($0) }) else { return nil }
            return events + parser.finish()
        }
        var most = 0
        for input in try Self.corpus("sse") {
            let whole = events([input])
            #expect(whole == events(input.map { [$0] }))
            most = max(most, whole?.count ?? 0)
        }
        #expect(most > 1)
    }

    @Test func objectsAreTheSameHoweverTheOutputIsCut() throws {
        func objects(_ pieces: [[UInt8]]) -> [JSONValue]? {
            var parser = StreamJSONParser(maxLineBytes: 4_096)
            guard let objects = try? pieces.flatMap({ try parser.feed($0) }) else { return nil }
            return objects + (parser.finish().map { [$0] } ?? [])
        }
        var most = 0
        for input in try Self.corpus("stream-json") {
            let whole = objects([input])
            #expect(whole == objects(input.map { [$0] }))
            most = max(most, whole?.count ?? 0)
        }
        #expect(most > 0)
    }

    @Test func waitsAreWithinTheirBounds() throws {
        var understood = 0
        for input in try Self.corpus("headers") {
            for value in String(decoding: input, as: UTF8.self).split(separator: "\n") {
                let headers: HTTPHeaders = ["retry-after": String(value), "x-ratelimit-reset-tokens": String(value)]
                if let wait = RetryAfter.wait(headers, limits: true, now: 1_795_330_000_000) {
                    #expect((0...RetryAfter.longest).contains(wait))
                    understood += 1
                }
                let reset = ObservedLimits.anthropic(["anthropic-ratelimit-tokens-reset": String(value)], now: 0)?.tokens?.resetAfter
                #expect((0...RetryAfter.longest).contains(reset ?? 0))
            }
        }
        #expect(understood > 0)
    }
}
