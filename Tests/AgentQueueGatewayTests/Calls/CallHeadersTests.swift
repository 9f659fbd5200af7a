import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import Testing

@testable import AgentQueueGateway

@Suite struct CallHeadersTests {
    private func headers(_ fields: [String: String]) throws -> CallHeaders { try CallHeaders { fields[$0] } }

    @Test func headersAreRead() throws {
        let headers = try headers([
            "idempotency-key": "k-1", "cache-control": "max-age=60", "x-agent-queue-priority": "2", "x-agent-queue-max-wait": "30s",
            "x-agent-queue-on-disconnect": "finish", "x-agent-queue-sample": "3", "x-agent-queue-tags": "a, b,,c",
            "x-agent-queue-unsupported": "drop", "x-stainless-retry-count": "2", "x-stainless-read-timeout": "600.0",
            "x-stainless-timeout": "20", "anthropic-version": "2023-06-01", "anthropic-beta": "one, two",
        ])
        #expect(headers.idempotencyKey == "k-1")
        #expect(headers.cache == .use(maxAge: 60_000))
        #expect(headers.priority == 2)
        #expect(headers.maxWait == 30_000)
        #expect(headers.onDisconnect == .finish)
        #expect(headers.sample == 3)
        #expect(headers.tags == ["a", "b", "c"])
        #expect(headers.dropsUnsupported == true)
        #expect(headers.retryCount == 2)
        #expect(headers.readTimeout == 20_000)
        #expect(headers.betas == ["one", "two"])
    }

    @Test func aRequestWithoutHeadersAsksForNothing() throws { #expect(try headers([:]) == CallHeaders()) }

    @Test(arguments: [
        ("no-cache", CallHeaders.CacheWish.renew(timeToLive: nil)), ("max-age=0", .renew(timeToLive: nil)),
        ("max-age=60, No-Cache", .renew(timeToLive: 60_000)), ("no-store", .off), ("no-transform, No-Store", .off),
        ("no-cache, no-store", .off), ("max-age=60, max-age=20", .use(maxAge: 20_000)), ("private", .usual),
    ])
    func whatIsWantedOfTheCacheIsRead(directive: String, wish: CallHeaders.CacheWish) throws {
        #expect(try headers(["cache-control": directive]).cache == wish)
    }

    @Test(arguments: [
        ("idempotency-key", ""), ("idempotency-key", "with blank"), ("idempotency-key", String(repeating: "k", count: 256)),
        ("x-agent-queue-priority", "0"), ("x-agent-queue-max-wait", "soon"), ("x-agent-queue-max-wait", "25h"),
        ("x-agent-queue-on-disconnect", "stop"), ("x-agent-queue-sample", "-1"), ("x-agent-queue-unsupported", "yes"),
        ("x-agent-queue-tags", (1...33).map { "t\($0)" }.joined(separator: ",")),
    ])
    func aWrongHeaderIsRefusedByName(name: String, value: String) {
        #expect {
            try headers([name: value])
        } throws: { error in
            (error as? RequestError)?.param?.lowercased() == name && (error as? RequestError)?.status == 400
        }
    }

    @Test(arguments: ["NOT_GIVEN", "0", "-5", "inf"]) func anUnusableReadTimeoutIsNone(text: String) throws {
        #expect(try headers(["x-stainless-read-timeout": text]).readTimeout == nil)
    }

    @Test func theHeaderComesBeforeTheKeyAndTheKeyBeforeTheConfiguration() throws {
        var settings = ServeSettings()
        settings.cache = true
        let key = CallPolicy.KeyRules(id: 7, queue: "team", usesCache: false, onDisconnect: .cancel, bestPriority: 4)
        let plain = CallPolicy(try headers([:]), key, settings, serviceTier: "flex")
        #expect(plain.queue == "team" && plain.priority == 7 && !plain.usesCache && plain.onDisconnect == .cancel)
        #expect(CallPolicy(try headers(["x-agent-queue-max-wait": "1h"]), key, settings).maxWait == settings.maxWait)
        let asked = try headers(["cache-control": "max-age=9", "x-agent-queue-priority": "1", "x-agent-queue-on-disconnect": "finish"])
        let policy = CallPolicy(asked, key, settings, serviceTier: "flex")
        #expect(policy.priority == 4 && policy.usesCache && policy.cacheTimeToLive == 9_000 && policy.maxCacheAge == 9_000)
        #expect(policy.onDisconnect == .finish)
    }
}
