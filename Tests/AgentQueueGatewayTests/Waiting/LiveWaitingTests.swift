import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueGateway

/// What clients see that wait: for a limit, for a slow answer, for one that has to be made anew.
@Suite(.serialized) struct LiveWaitingTests {
    @Test func aLimitThatOpensTooLateIsToldAtOnce() async throws {
        @Sendable func limit(_ settings: inout Settings) { settings.providers["local"]?.limits.rpm = 1 }
        try await withGateway(.always(Chat.whole), configure: limit) { gateway in
            let first = try await Chat.call().answer(port: gateway.port)
            #expect(first.status == 200)
            let patience = [("x-agent-queue-max-wait", "1s")]
            let refused = try await Chat.call(Chat.question, patience).answer(port: gateway.port)
            #expect(refused.status == 429)
            #expect(try refused.json["error"]?["code"] == "rate_limit_exceeded")
            #expect(refused["x-should-retry"] == "false")
            #expect(refused["x-agent-queue-opens-at"] != nil)
            let messages = HTTPCall(
                path: "/v1/messages", headers: patience,
                body: #"{"model":"local/m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#)
            let other = try await messages.answer(port: gateway.port)
            #expect(other.status == 429)
            #expect(try other.json["error"]?["type"] == "rate_limit_error")
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test(arguments: [false, true]) func aRefusalThatCannotBeWaitedForIsTold(streams: Bool) async throws {
        let refusal = ScriptedAnswer(429, headers: [("retry-after", "50")], json: #"{"error":{"message":"too many"}}"#)
        try await withGateway(.always(refusal)) { gateway in
            let call = Chat.call(streams ? Chat.streamed : Chat.question, [("x-agent-queue-max-wait", "500ms")])
            let answer = try await within(.seconds(20), "the answer") { [port = gateway.port] in try await call.answer(port: port) }
            #expect(answer.status == 429)
            #expect(try answer.json["error"]?["code"] == "rate_limit_exceeded")
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func aProviderThatNobodyCanCallIsToldAtOnce() async throws {
        @Sendable func addOther(_ settings: inout Settings) {
            settings.providers["other"] = settings.providers["local"]
            settings.providers["other"]?.apiKeyEnv = "MISSING_KEY"
        }
        try await withGateway(.always(Chat.whole), configure: addOther) { gateway in
            let answer = try await Chat.call(Chat.question.replacing("local/m", with: "other/m")).answer(port: gateway.port)
            #expect(answer.status == 503)
            #expect(try answer.json["error"]?["code"] == "provider_unavailable")
        }
    }

    @Test func spacesKeepAClientThatWaitsLong() async throws {
        let gate = Gate()
        try await withGateway(.always(ScriptedAnswer(json: Chat.wholeText, after: gate))) { gateway in
            let call = Chat.call(Chat.question, [("x-stainless-read-timeout", "0.2")])
            let answer = try await call.answer(port: gateway.port) { reader in
                let first = try await reader.next()
                #expect(first == [UInt8(ascii: " ")])
                gate.open()
                while try await reader.next() != nil {}
                return reader.answer
            }
            #expect(answer.isWhole)
            #expect(answer.text.drop { $0 == " " } == Chat.wholeText)
        }
    }

    @Test func aFailureAfterTheHeadCutsTheAnswerAndTheRetryIsToldWhy() async throws {
        let gate = Gate()
        let body = #"{"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}}"#
        try await withGateway(.always(ScriptedAnswer(400, json: body, after: gate))) { gateway in
            let call = Chat.call(Chat.question, [("x-stainless-read-timeout", "0.2")])
            let answer = try await call.answer(port: gateway.port) { reader in
                _ = try await reader.next()
                gate.open()
                while try await reader.next() != nil {}
                return reader.answer
            }
            #expect(answer.status == 200)
            #expect(!answer.isWhole)
            let retry = try await Chat.call(Chat.question, [("x-stainless-retry-count", "1")]).answer(port: gateway.port)
            #expect(retry.status == 400)
            #expect(retry.text == body)
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func aStreamGoesOnInAFurtherAttemptThatSaysTheSame() async throws {
        let broken = ScriptedAnswer(stream: Chat.first + Chat.last, ending: .dropped(afterBytes: Chat.first.utf8.count))
        try await withGateway(.inTurn(broken, ScriptedAnswer(stream: Chat.first + Chat.last))) { gateway in
            let answer = try await Chat.call(Chat.streamed).answer(port: gateway.port)
            #expect(answer.events.last == "[DONE]")
            #expect(answer.text.components(separatedBy: "Hello").count == 2)
            #expect(gateway.upstream.requests.count == 2)
        }
    }

    @Test func aStreamEndsWhenTheAnswerBeginsAnewAndItsRetryGetsIt() async throws {
        let broken = ScriptedAnswer(stream: Chat.first + Chat.last, ending: .dropped(afterBytes: Chat.first.utf8.count))
        let other = Chat.chunk(#"{"role":"assistant","content":"Good day"}"#) + Chat.rest(" to you")
        try await withGateway(.inTurn(broken, ScriptedAnswer(stream: other))) { gateway in
            let answer = try await Chat.call(Chat.streamed).answer(port: gateway.port)
            #expect(answer.text.contains("stream_restarted"))
            #expect(!answer.text.contains("[DONE]"))
            let retry = try await Chat.call(Chat.streamed, [("x-stainless-retry-count", "1")]).answer(port: gateway.port)
            #expect(retry["x-agent-queue-attached"] == "true")
            #expect(retry.events.last == "[DONE]")
            #expect(gateway.upstream.requests.count == 2)
        }
    }

    @Test func answersOfOtherProcessesAreStreamedThroughTheFile() async throws {
        let gate = Gate()
        let answer = ScriptedAnswer(stream: Chat.first + Chat.last, pauses: [(Chat.first.utf8.count, gate)])
        try await withGateway(.always(answer), runsWorker: false) { gateway in
            let queue = try JobQueue(gateway.queue.settings, environment: [:])
            let worker = Task { try await queue.work(logger: .silent) }
            let whole = try await Chat.call(Chat.streamed).answer(port: gateway.port) { reader in
                try await reader.read(until: "Hello")
                gate.open()
                while try await reader.next() != nil {}
                return reader.answer
            }
            #expect(whole.events.last == "[DONE]")
            #expect(whole.text.contains(" there"))
            worker.cancel()
            // The worker's own end is of no interest.
            _ = await worker.result
            try await queue.close()
        }
    }

    @Test func requestsThatShareACallShareItsStream() async throws {
        let gate = Gate()
        let answer = ScriptedAnswer(stream: Chat.first + Chat.last, pauses: [(Chat.first.utf8.count, gate)])
        try await withGateway(.always(answer)) { gateway in
            let port = gateway.port
            let cached = [("cache-control", "max-age=60")]
            let bodies = [Chat.streamed, Chat.streamed.replacing("{\"model\"", with: "{\"user\":\"b\",\"model\"")]
            let seen = Counter()
            let answers = try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
                for (place, body) in bodies.enumerated() {
                    group.addTask {
                        if place > 0 { try await gateway.upstream.waitForRequests(1) }
                        return try await Chat.call(body, cached).answer(port: port) { reader in
                            try await reader.read(until: "Hello")
                            seen.add()
                            try await seen.wait(atLeast: 2)
                            gate.open()
                            while try await reader.next() != nil {}
                            return reader.answer
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.events.last == "[DONE]" && $0.text.contains(" there") })
            #expect(gateway.upstream.requests.count == 1)
        }
    }
}
