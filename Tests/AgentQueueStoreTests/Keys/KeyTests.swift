import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct KeyTests {
    private static let secret = [UInt8](repeating: 7, count: 32)

    @Test func aKeyIsReadAsItWasMade() async throws {
        try await withStore { f in
            var new = NewAPIKey(name: "ci-2", scopes: [.call, .readAll, .admin])
            new.targets = ["local/*", "openai/gpt-*"]
            new.cache = false
            new.onDisconnect = .finish
            new.bestPriority = 4
            new.expiresAt = f.clock.wall + 10
            let made = try await f.store.keys.create(new, secret: Self.secret, by: "me")
            #expect(made.name == "ci-2" && made.scopes == new.scopes && made.targets == new.targets && made.queue == "api.ci-2")
            #expect(made.cache == false && made.onDisconnect == .finish && made.bestPriority == 4 && made.createdAt == f.clock.wall)
            #expect(try f.store.keys.find(made.id) == made && f.store.keys.find(named: "ci-2") == made)
            #expect(try f.store.keys.find(99) == nil && f.store.keys.find(named: "ci") == nil)
            #expect(made.isValid(at: f.clock.wall + 9) && !made.isValid(at: f.clock.wall + 10))
            let plain = try await f.store.keys.create(NewAPIKey(name: "plain"), secret: Self.secret, by: "me")
            #expect(plain.targets == nil && plain.cache == nil && plain.isValid(at: .max))
            #expect(try f.store.keys.list() == [made, plain])
        }
    }

    @Test func onlyTheHashOfASecretIsStored() async throws {
        try await withStore { f in
            let key = try await f.store.keys.create(NewAPIKey(name: "a"), secret: Self.secret, by: "me")
            #expect(key.hash == APIKey.hash(of: Self.secret) && key.hash.count == 32)
            #expect(key.accepts(secret: Self.secret))
            #expect(!key.accepts(secret: Array(Self.secret.dropLast()) + [8]) && !key.accepts(secret: []))
        }
    }

    @Test func aNameIsTakenUntilItsKeyIsRevoked() async throws {
        try await withStore { f in
            let first = try await f.store.keys.create(NewAPIKey(name: "a"), secret: Self.secret, by: "me")
            let error = await storeError { _ = try await f.store.keys.create(NewAPIKey(name: "a"), secret: [1], by: "me") }
            #expect(error?.kind == .conflict)
            let revoked = try #require(try await f.store.keys.revoke("a", by: "me"))
            #expect(revoked.id == first.id && !revoked.isValid(at: f.clock.wall))
            #expect(try await f.store.keys.revoke("a", by: "me") == nil)
            let second = try await f.store.keys.create(NewAPIKey(name: "a"), secret: [1], by: "me")
            #expect(second.id != first.id)
            #expect(try f.store.keys.list().map(\.id) == [second.id])
            #expect(try f.store.keys.list(revoked: true).map(\.id) == [first.id, second.id])
        }
    }

    @Test(arguments: ["", "A", "a b", "a_b", "ä", String(repeating: "a", count: 41)])
    func otherNamesAreRefused(_ name: String) async throws {
        try await withStore { f in
            let error = await storeError { _ = try await f.store.keys.create(NewAPIKey(name: name), secret: [1], by: "me") }
            #expect(error?.kind == .conflict)
            let entries = try f.store.keys.audit()
            #expect(entries.isEmpty)
        }
    }

    @Test func aRotatedKeyOpensWithItsNewSecretAlone() async throws {
        try await withStore { f in
            let made = try await f.store.keys.create(NewAPIKey(name: "a"), secret: Self.secret, by: "me")
            let rotated = try #require(try await f.store.keys.rotate("a", secret: [9], by: "me"))
            #expect(rotated.id == made.id && rotated.accepts(secret: [9]) && !rotated.accepts(secret: Self.secret))
            #expect(try await f.store.keys.rotate("b", secret: [9], by: "me") == nil)
        }
    }

    @Test func aKeysLastUseIsWrittenOnceAMinute() async throws {
        try await withStore { f in
            let key = try await f.store.keys.create(NewAPIKey(name: "a"), secret: Self.secret, by: "me")
            let start = f.clock.wall
            try await f.store.keys.touch(key)
            #expect(try f.store.keys.find(key.id)?.lastUsedAt == start)
            f.clock.advance(59_999)
            // It was last read before it was first used.
            try await f.store.keys.touch(key)
            #expect(try f.store.keys.find(key.id)?.lastUsedAt == start)
            let commits = f.clock.wallReads
            try await f.store.keys.touch(try #require(try f.store.keys.find(key.id)))
            #expect(f.clock.wallReads == commits + 1, "nothing is written")
            f.clock.advance(1)
            try await f.store.keys.touch(key)
            #expect(try f.store.keys.find(key.id)?.lastUsedAt == start + 60_000)
        }
    }

    @Test func whatIsDoneToKeysIsRecordedFor90Days() async throws {
        try await withStore { f in
            _ = try await f.store.keys.create(NewAPIKey(name: "a"), secret: Self.secret, by: "me")
            _ = try await f.store.keys.rotate("a", secret: [9], by: "other")
            f.clock.advance(1)
            _ = try await f.store.keys.revoke("a", by: "me")
            try await f.store.keys.record("queue.pause", on: "default", by: "ci", detail: "by hand")
            let entries = try f.store.keys.audit()
            #expect(entries.map(\.action) == ["queue.pause", "key.revoke", "key.rotate", "key.create"])
            #expect(entries.map(\.actor) == ["ci", "me", "other", "me"] && entries.map(\.subject) == ["default", "a", "a", "a"])
            #expect(entries[0].detail == "by hand")
            #expect(try f.store.keys.audit(limit: 2, before: entries[1].id).map(\.id) == [entries[2].id, entries[3].id])
            f.clock.advance(AuditEntry.kept)
            let policy = PrunePolicy(completed: 1, cancelled: 1, discarded: 1)
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).auditEntries == 2)
            #expect(try await f.store.maintenance.prune(policy).auditEntries == 2)
            #expect(try f.store.keys.audit().count == 2)
        }
    }
}
