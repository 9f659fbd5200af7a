import AgentQueue
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// Calls by way of a live gateway, a real queue and a scripted upstream.
@Suite(.serialized) struct LiveCallsTests {
    @Test func aWholeAnswerIsTheProvidersOwnAndStored() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let answer = try await Chat.call().answer(port: gateway.port)
            #expect(answer.status == 200)
            #expect(answer.text == Chat.wholeText)
            #expect(answer["x-agent-queue-target"] == "local/m")
            #expect(answer["x-agent-queue-cache"] == "off")
            #expect(answer["x-request-id"] == answer["request-id"])
            let job = try #require(answer["x-agent-queue-job"].flatMap { Int64($0) })
            #expect(try gateway.queue.job(job)?.state == .completed)
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func aRetryAttachesAndIsNotPaidTwice() async throws {
        let gate = Gate()
        try await withGateway(.always(ScriptedAnswer(json: Chat.wholeText, after: gate))) { gateway in
            async let one = Chat.call().answer(port: gateway.port)
            try await gateway.upstream.waitForRequests(1)
            async let two = Chat.call(Chat.question, [("x-stainless-retry-count", "1")]).answer(port: gateway.port)
            gate.open()
            let answers = try await [one, two]
            #expect(answers.map(\.text) == [Chat.wholeText, Chat.wholeText])
            #expect(answers[1]["x-agent-queue-attached"] == "true")
            #expect(answers[0]["x-agent-queue-job"] == answers[1]["x-agent-queue-job"])
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func aClientThatWasCutFindsItsAnswer() async throws {
        let gate = Gate()
        try await withGateway(.always(ScriptedAnswer(json: Chat.wholeText, after: gate))) { gateway in
            let upstream = gateway.upstream
            _ = try await Chat.call().answer(port: gateway.port) { _ in try await upstream.waitForRequests(1) }
            try await gateway.untilLost()
            async let again = Chat.call().answer(port: gateway.port)
            gate.open()
            let answer = try await again
            #expect(answer["x-agent-queue-attached"] == "true")
            #expect(upstream.requests.count == 1)
        }
    }

    @Test func anIdempotencyKeyNamesItsRequest() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let key = [("idempotency-key", "k1")]
            let one = try await Chat.call(Chat.question, key).answer(port: gateway.port)
            let two = try await Chat.call(Chat.question, key).answer(port: gateway.port)
            #expect(one["x-agent-queue-job"] == two["x-agent-queue-job"])
            #expect(gateway.upstream.requests.count == 1)
            let other = try await Chat.call(Chat.question.replacing("Hi", with: "Ho"), key).answer(port: gateway.port)
            #expect(other.status == 422)
            #expect(other["x-should-retry"] == "false")
        }
    }

    @Test func theSameRequestAnewIsANewCall() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            for _ in 1...2 {
                let answer = try await Chat.call().answer(port: gateway.port)
                #expect(answer.status == 200)
            }
            #expect(gateway.upstream.requests.count == 2)
            let cached = [("cache-control", "max-age=60")]
            for _ in 1...2 {
                let answer = try await Chat.call(Chat.question, cached).answer(port: gateway.port)
                #expect(answer.status == 200)
            }
            #expect(gateway.upstream.requests.count == 3)
        }
    }

    @Test func anAnswerThatIsAskedForAnewServesLaterRequests() async throws {
        func said(_ text: String) -> ScriptedAnswer { ScriptedAnswer(json: Chat.wholeText.replacing("Hello there", with: text)) }
        try await withGateway(.inTurn(said("One"), said("Two"), said("Three"))) { gateway in
            func ask(_ directive: String) async throws -> String {
                let answer = try await Chat.call(Chat.question, [("cache-control", directive)]).answer(port: gateway.port)
                let text = try answer.json["choices"]?.array?.first?["message"]?["content"]?.string
                return "\(text ?? "") \(answer["x-agent-queue-cache"] ?? "")"
            }
            var said: [String] = []
            for directive in ["max-age=60", "no-cache", "max-age=60", "no-store", "max-age=60"] { said.append(try await ask(directive)) }
            #expect(said == ["One miss", "Two miss", "Two hit", "Three off", "Two hit"])
            #expect(gateway.upstream.requests.count == 3)
        }
    }

    @Test func piecesGoOutAsTheyComeAndTheEndOnceItIsStored() async throws {
        let gate = Gate()
        let answer = ScriptedAnswer(stream: Chat.first + Chat.last, pauses: [(Chat.first.utf8.count, gate)])
        try await withGateway(.always(answer)) { gateway in
            let port = gateway.port
            let whole = try await Chat.call(Chat.streamed).answer(port: port) { reader in
                try await reader.read(until: "Hello")
                #expect(reader.answer["content-type"] == "text/event-stream")
                #expect(!reader.answer.text.contains("[DONE]"))
                gate.open()
                while try await reader.next() != nil {}
                return reader.answer
            }
            #expect(whole.events.last == "[DONE]")
            #expect(whole.isWhole)
            let texts = try whole.events.dropLast().map {
                try JSONValue.parse($0)["choices"]?.array?.first?["delta"]?["content"]?.string ?? ""
            }
            #expect(texts.joined() == "Hello there")
            let job = try #require(whole["x-agent-queue-job"].flatMap { Int64($0) })
            #expect(try gateway.queue.job(job)?.result?.text == "Hello there")
        }
    }

    @Test func aStreamThatNeverSaysWhyItEndsIsWhole() async throws {
        try await withGateway(.always(ScriptedAnswer(stream: Chat.first + "data: [DONE]\n\n"))) { gateway in
            let answer = try await Chat.call(Chat.streamed).answer(port: gateway.port)
            #expect(answer.events.last == "[DONE]")
            #expect(answer.text.contains(#""content":"Hello""#) && answer.text.contains(#""finish_reason":"stop""#))
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func anEndWithoutAWordIsNoAnswer() async throws {
        let empty = ScriptedAnswer(stream: Chat.chunk(#"{"role":"assistant","content":""}"#) + "data: [DONE]\n\n")
        try await withGateway(.inTurn(empty, ScriptedAnswer(stream: Chat.first + Chat.last))) { gateway in
            // Its first chunk may be out already.
            let answer = try await Chat.call(Chat.streamed).answer(port: gateway.port)
            #expect(answer.text.contains("Hello") || answer.text.contains("stream_restarted"))
            #expect(gateway.upstream.requests.count == 2)
        }
    }

    @Test func whatIsNoObjectInAStreamDoesNotReachTheClient() async throws {
        let answer = ScriptedAnswer(stream: Chat.first + "data: [1]\n\ndata: null\n\n" + Chat.last)
        try await withGateway(.always(answer)) { gateway in
            let answer = try await Chat.call(Chat.streamed).answer(port: gateway.port)
            #expect(answer.events.last == "[DONE]")
            #expect(!answer.events.contains("[1]") && !answer.events.contains("null"))
        }
    }

    @Test func aStreamThatIsCutGoesOnFromTheFirstPieceForItsRetry() async throws {
        let gate = Gate()
        let answer = ScriptedAnswer(stream: Chat.first + Chat.last, pauses: [(Chat.first.utf8.count, gate)])
        try await withGateway(.always(answer)) { gateway in
            let port = gateway.port
            try await Chat.call(Chat.streamed).answer(port: port) { reader in try await reader.read(until: "Hello") }
            try await gateway.untilLost()
            let again = try await Chat.call(Chat.streamed, [("x-stainless-retry-count", "1")]).answer(port: port) { reader in
                try await reader.read(until: "Hello")
                gate.open()
                while try await reader.next() != nil {}
                return reader.answer
            }
            #expect(again["x-agent-queue-attached"] == "true")
            #expect(again.events.last == "[DONE]")
            #expect(gateway.upstream.requests.count == 1)
        }
    }

    @Test func theProvidersRefusalKeepsItsStatusAndBody() async throws {
        let body = #"{"error":{"message":"max_tokens is too large","type":"invalid_request_error","param":"max_tokens","code":null}}"#
        try await withGateway(.always(ScriptedAnswer(400, json: body))) { gateway in
            for request in [Chat.question, Chat.streamed] {
                let answer = try await Chat.call(request).answer(port: gateway.port)
                #expect(answer.status == 400)
                #expect(answer.text == body)
                #expect(answer["x-should-retry"] == "false")
            }
        }
    }

    @Test func anUnknownModelIsAnsweredInTheClientsWords() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let chatError = try await Chat.call(Chat.question.replacing("local/m", with: "nobody/m")).answer(port: gateway.port)
            #expect(chatError.status == 404)
            #expect(try chatError.json["error"]?["code"] == "model_not_found")
            let messages = HTTPCall(
                path: "/v1/messages", headers: [("anthropic-version", "2023-06-01")],
                body: #"{"model":"nobody/m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#)
            let answer = try await messages.answer(port: gateway.port)
            #expect(answer.status == 404)
            #expect(try answer.json["error"]?["type"] == "not_found_error")
            #expect(!gateway.upstream.requests.contains { $0.method == "POST" })
        }
    }

    @Test func messagesAreAnsweredByAProviderOfAnotherForm() async throws {
        let body = #"{"model":"local/m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]"#
        try await withGateway(.always(Chat.whole)) { gateway in
            let answer = try await HTTPCall(path: "/v1/messages?beta=true", body: body + "}").answer(port: gateway.port)
            #expect(answer.status == 200)
            #expect(try answer.json["content"]?.array?.first?["text"] == "Hello there")
            #expect(try answer.json["stop_reason"] == "end_turn")
        }
        try await withGateway(.always(ScriptedAnswer(stream: Chat.first + Chat.last))) { gateway in
            let answer = try await HTTPCall(path: "/v1/messages", body: body + #","stream":true}"#).answer(port: gateway.port)
            #expect(answer.text.contains("event: message_start"))
            #expect(answer.text.hasSuffix("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"))
        }
    }

    @Test func severalAnswersAreOneRequest() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let answer = try await Chat.call(Chat.question.replacing("{\"model\"", with: "{\"n\":3,\"model\"")).answer(port: gateway.port)
            #expect(try answer.json["choices"]?.array?.count == 3)
            #expect(gateway.upstream.requests.count == 3)
        }
    }

    @Test func aResponseCanBeAskedForAgainAndContinued() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let first = try await HTTPCall(path: "/v1/responses", body: #"{"model":"local/m","input":"Hi"}"#).answer(port: gateway.port)
            #expect(first.status == 200)
            let id = try #require(try first.json["id"]?.string)
            let again = try await HTTPCall(method: .GET, path: "/v1/responses/\(id)").answer(port: gateway.port)
            #expect(try again.json["output"] == first.json["output"])
            let next = try await HTTPCall(
                path: "/v1/responses", body: #"{"model":"local/m","input":"More","previous_response_id":"\#(id)"}"#
            ).answer(port: gateway.port)
            #expect(try next.json["previous_response_id"]?.string == id)
            let sent = try #require(gateway.upstream.requests.last?.text)
            #expect(sent.contains("Hello there") && sent.contains("More"))
            let deleted = try await HTTPCall(method: .DELETE, path: "/v1/responses/\(id)").answer(port: gateway.port)
            #expect(try deleted.json["deleted"] == true)
            let gone = try await HTTPCall(method: .GET, path: "/v1/responses/\(id)").answer(port: gateway.port)
            #expect(gone.status == 404)
        }
    }

    @Test func aBackgroundResponseIsQueuedAndFetchedLater() async throws {
        let gate = Gate()
        try await withGateway(.always(ScriptedAnswer(json: Chat.wholeText, after: gate))) { gateway in
            let body = #"{"model":"local/m","input":"Hi","background":true}"#
            let first = try await HTTPCall(path: "/v1/responses", body: body).answer(port: gateway.port)
            #expect(["queued", "in_progress"].contains(try first.json["status"]?.string))
            #expect(try first.json["background"] == true)
            let id = try #require(try first.json["id"]?.string)
            let job = try #require(first["x-agent-queue-job"].flatMap { Int64($0) })
            gate.open()
            _ = try await within(.seconds(20), "the job ends") { [queue = gateway.queue] in try await queue.finish(job) }
            let done = try await HTTPCall(method: .GET, path: "/v1/responses/\(id)").answer(port: gateway.port)
            let shown = try done.json
            #expect(shown["status"] == "completed" && shown["background"] == true)
        }
    }

    @Test func tokensAreEstimated() async throws {
        try await withGateway(.always(Chat.whole)) { gateway in
            let body = #"{"model":"local/m","messages":[{"role":"user","content":"How many tokens is this?"}]}"#
            let answer = try await HTTPCall(path: "/v1/messages/count_tokens", body: body).answer(port: gateway.port)
            #expect(answer["x-agent-queue-estimate"] == "true")
            #expect(try (answer.json["input_tokens"]?.int ?? 0) > 3)
        }
    }
}
