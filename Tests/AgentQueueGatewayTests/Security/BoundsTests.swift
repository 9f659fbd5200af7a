import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// What clients may not do, on raw connections.
@Suite(.serialized) struct BoundsTests {
    private func talk<Value: Sendable>(
        _ gateway: LiveGateway, _ body: @escaping @Sendable (inout RawConversation) async throws -> Value
    ) async throws -> Value {
        try await within(.seconds(20), "the conversation") { try await RawConversation.with(gateway, body) }
    }

    private static let post = ["content-type: application/json"]

    @Test func aBodyThatIsTooLargeIsRefusedBeforeItComes() async throws {
        var plan = GatewayPlan()
        plan.serve.maxBody = 1 << 10
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send(
                    rawRequest(
                        "POST /v1/chat/completions", Self.post + ["content-length: 100000", "expect: 100-continue"], close: false))
                return try await conversation.readToEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 413"))
            #expect(text.lowercased().contains("connection: close") && text.contains("request_too_large"))
        }
    }

    @Test func aChunkedBodyThatIsTooLargeIsRefusedAndTheAnswerArrives() async throws {
        var plan = GatewayPlan()
        plan.serve.maxBody = 1 << 10
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send(
                    rawRequest("POST /v1/chat/completions", Self.post + ["transfer-encoding: chunked"], close: false))
                for _ in 0..<20 { try await conversation.send("400\r\n\(String(repeating: "a", count: 1024))\r\n") }
                try await conversation.send("0\r\n\r\n")
                return try await conversation.readToEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func aClientThatAsksIsToldToSendItsBody() async throws {
        try await withGateway { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send(
                    rawRequest("POST /v1/chat/completions", Self.post + ["content-length: 2", "expect: 100-continue"]))
                try await conversation.read(until: "HTTP/1.1 100 Continue\r\n\r\n")
                try await conversation.send("{}")
                return try await conversation.readToEnd()
            }
            #expect(text.contains("HTTP/1.1 400"))
        }
    }

    @Test func aClientWithoutAKeyIsNotAskedForItsBody() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send(
                    rawRequest("POST /v1/chat/completions", Self.post + ["content-length: 2", "expect: 100-continue"], close: false))
                return try await conversation.readToEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test func aSlowHeadEnds() async throws {
        var plan = GatewayPlan()
        plan.limits.head = .milliseconds(100)
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send("GET /health HTTP/1.1\r\nhost: local")
                return try await conversation.readToEnd()
            }
            #expect(text.isEmpty)
        }
    }

    @Test func aSecondHeadIsTimedAsTheFirst() async throws {
        var plan = GatewayPlan()
        plan.limits.head = .milliseconds(100)
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send(rawRequest("GET /health", close: false))
                try await conversation.read(until: #""ok""#)
                try await conversation.send("GET /hea")
                return try await conversation.readToEnd()
            }
            #expect(text.components(separatedBy: "HTTP/1.1").count == 2)
        }
    }

    @Test func aSlowBodyIsToldSoAndEnds() async throws {
        var plan = GatewayPlan()
        plan.limits.exchange.bodyGrace = .milliseconds(50)
        plan.limits.exchange.bodyInterval = .milliseconds(50)
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send(rawRequest("POST /v1/chat/completions", Self.post + ["content-length: 9000"], close: false))
                try await conversation.send("{")
                return try await conversation.readToEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 408"))
            #expect(
                text.contains("body_timeout") && text.contains("x-should-retry: true") && text.lowercased().contains("connection: close"))
        }
    }

    @Test func aBodyThatBreaksOffMakesNoJob() async throws {
        try await withGateway { gateway in
            _ = try await talk(gateway) { conversation in
                try await conversation.send(rawRequest("POST /v1/chat/completions", Self.post + ["content-length: 900"], close: false))
                try await conversation.send(#"{"model":"local/m","messages":[{"role":"user","content":"Hi"}]}"#)
                try await conversation.endInput()
                return try await conversation.readToEnd()
            }
            #expect(gateway.upstream.requests.isEmpty)
            #expect(try gateway.queue.store.jobs.lanes().isEmpty)
        }
    }

    @Test func anIdleConnectionEnds() async throws {
        var plan = GatewayPlan()
        plan.limits.idle = .milliseconds(100)
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { conversation in
                try await conversation.send(rawRequest("GET /health", close: false))
                return try await conversation.readToEnd()
            }
            #expect(text.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func oneConnectionTooManyIsToldSo() async throws {
        var plan = GatewayPlan()
        plan.limits.connections = 1
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { first in
                try await first.send(rawRequest("GET /health", close: false))
                try await first.read(until: #""ok""#)
                return try await RawConversation.with(gateway) { second in
                    try await second.send(rawRequest("GET /health"))
                    return try await second.readToEnd()
                }
            }
            #expect(text.hasPrefix("HTTP/1.1 503"))
            #expect(text.contains("server_is_overloaded") && text.contains("retry-after-ms: 1000"))
            // The place is free again.
            let later = try await talk(gateway) { conversation in
                try await conversation.send(rawRequest("GET /health"))
                return try await conversation.readToEnd()
            }
            #expect(later.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func bodiesTogetherAreBounded() async throws {
        let gate = Gate()
        var plan = GatewayPlan()
        plan.limits.bodyMemory = 64 << 10
        try await withGateway(plan) { gateway in
            let text = try await talk(gateway) { first in
                try await first.send(
                    rawRequest("POST /v1/chat/completions", Self.post + ["content-length: 50000", "expect: 100-continue"]))
                // From here on its memory counts.
                try await first.read(until: "100 Continue")
                return try await RawConversation.with(gateway) { second in
                    try await second.send(rawRequest("POST /v1/chat/completions", Self.post + ["content-length: 50000"], close: false))
                    return try await second.readToEnd()
                }
            }
            #expect(text.hasPrefix("HTTP/1.1 503"))
            gate.open()
        }
    }

    @Test func aClientThatReadsNothingIsDisconnected() async throws {
        var plan = GatewayPlan()
        plan.limits.exchange.stall = .milliseconds(100)
        try await withGateway(plan) { gateway in
            try await talk(gateway) { conversation in
                // The answers are more than the system keeps for a connection.
                let request = rawRequest("GET /openapi.json", close: false)
                try await conversation.send(String(repeating: request, count: 4_000))
                try await until("the client is given up") { gateway.lines.all.contains { $0.contains("outcome=cut") } }
                #expect(!gateway.lines.all.contains { $0.hasPrefix("error") })
            }
        }
    }

    @Test func aShareOfTheMemoryIsGivenBack() throws {
        let memory = BodyMemory(limit: 100)
        do {
            let share = BodyMemory.Share(of: memory)
            try share.grow(to: 60)
            try share.grow(to: 40)
            #expect(memory.inUse == 60)
            #expect(throws: (any Error).self) { try BodyMemory.Share(of: memory).grow(to: 50) }
            let held = HeldBody([1], share)
            #expect(held.bytes == [1] && memory.inUse == 60)
        }
        #expect(memory.inUse == 0)
    }

    @Test func aPresenceTellsOfEachStepOfADeparture() {
        let presence = ClientPresence()
        let seen = Recorder<ClientPresence.Departure>()
        presence.onDeparture { seen.add($0) }
        presence.leave(.closedInput)
        presence.leave(.closedInput)
        presence.leave(.disconnected)
        presence.leave(.stopped)
        #expect(presence.departure == .disconnected)
        presence.onDeparture { seen.add($0) }
        #expect(seen.all == [.closedInput, .disconnected, .disconnected])
    }
}
