import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Files of clients.
@Suite struct FileTests {
    @Test func aFileIsSeenOnceItIsComplete() async throws {
        try await withStore { f in
            let files = f.store.files
            let id = try await files.begin(key: 1)
            let whole = [UInt8](repeating: 1, count: FileStore.pieceLength)
            try await files.append(whole, to: id, number: 0)
            try await files.append([2, 3], to: id, number: 1)
            #expect(try files.find(id, key: 1) == nil && files.list(FileQuery(key: 1, limit: 10)).files.isEmpty)
            f.clock.advance(5)
            let new = NewFile(name: "../a\n.jsonl", purpose: .batch, mediaType: "text/plain", lifetime: 100)
            let made = try await files.complete(id, as: new, bytes: Int64(whole.count + 2))
            #expect(made.name == "../a\n.jsonl" && made.purpose == .batch && made.mediaType == "text/plain")
            #expect(made.bytes == 262_146 && made.createdAt == f.clock.wall && made.expiresAt == f.clock.wall + 100)
            #expect(try files.find(id, key: 1) == made && files.list(FileQuery(key: 1, limit: 10)).files == [made])
            #expect(try files.piece(0, of: id) == whole && files.piece(1, of: id) == [2, 3] && files.piece(2, of: id) == nil)
            let again = await storeError { _ = try await files.complete(id, as: new, bytes: 1) }
            #expect(again?.kind == .conflict)
        }
    }

    @Test func aFileBelongsToItsKeyAlone() async throws {
        try await withStore { f in
            let file = try await f.file(key: 1)
            #expect(try f.store.files.find(file, key: 2) == nil && f.store.files.list(FileQuery(key: 2, limit: 10)).files.isEmpty)
            #expect(try await !f.store.files.delete(file, key: 2))
            #expect(try f.store.files.find(file, key: 1) != nil)
        }
    }

    @Test func listsAreWalkedByIdInBothOrders() async throws {
        try await withStore { f in
            var ids: [Int64] = []
            for index in 0..<5 { ids.append(try await f.file(key: 1, index == 2 ? .batch : .userData)) }
            _ = try await f.file(key: 2)
            var query = FileQuery(key: 1, limit: 2)
            var page = try f.store.files.list(query)
            #expect(page.files.map(\.id) == [ids[4], ids[3]] && page.hasMore)
            // The mark may be gone, and what is new is before it.
            try await f.store.files.delete(ids[3], key: 1)
            _ = try await f.file(key: 1)
            query.after = ids[3]
            page = try f.store.files.list(query)
            #expect(page.files.map(\.id) == [ids[2], ids[1]] && page.hasMore)
            query.after = ids[1]
            page = try f.store.files.list(query)
            #expect(page.files.map(\.id) == [ids[0]] && !page.hasMore)
            query.isNewestFirst = false
            query.after = ids[0]
            #expect(try f.store.files.list(query).files.map(\.id) == [ids[1], ids[2]])
            query.after = nil
            query.purpose = .batch
            #expect(try f.store.files.list(query).files.map(\.id) == [ids[2]])
        }
    }

    @Test func whatIsDeletedLeavesNothingAndItsIdIsNotGivenAgain() async throws {
        try await withStore { f in
            let file = try await f.file(key: 1, pieces: FileStore.piecesAtOnce * 2 + 1)
            #expect(try await f.store.files.delete(file, key: 1))
            #expect(try await !f.store.files.delete(file, key: 1))
            #expect(try f.store.files.find(file, key: 1) == nil)
            #expect(try f.count(of: "files") == 0)
            #expect(try f.count(of: "file_chunks") == 0)
            let next = try await f.file(key: 1)
            #expect(next > file)
        }
    }

    @Test func pruningRemovesWhatHasExpiredAndWhatNeverBecameComplete() async throws {
        try await withStore { f in
            let policy = PrunePolicy(completed: 1, cancelled: 1, discarded: 1)
            let kept = try await f.file(key: 1)
            let short = try await f.file(key: 1, lifetime: 7_200_000)
            let broken = try await f.store.files.begin(key: 1)
            try await f.store.files.append([1], to: broken, number: 0)
            #expect(try await f.store.maintenance.prune(policy).files == 0)
            f.clock.advance(3_600_000)
            let late = await storeError {
                _ = try await f.store.files.complete(broken, as: NewFile(name: "a", purpose: .batch), bytes: 1)
            }
            #expect(late?.kind == .conflict)
            #expect(try await f.store.maintenance.prune(policy).files == 1)
            f.clock.advance(3_600_000)
            #expect(try f.store.files.find(short, key: 1) == nil && f.store.files.list(FileQuery(key: 1, limit: 9)).files.count == 1)
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).files == 1)
            #expect(try await f.store.maintenance.prune(policy).files == 1)
            #expect(try f.store.files.find(kept, key: 1) != nil)
            #expect(try f.count(of: "file_chunks") == 1)
        }
    }
}

extension Fixture {
    /// Adds a file of pieces with one byte each.
    fileprivate func file(key: Int64, _ purpose: FilePurpose = .userData, pieces: Int = 1, lifetime: Int64? = nil) async throws -> Int64 {
        let id = try await store.files.begin(key: key)
        for number in 0..<pieces { try await store.files.append([UInt8(number % 256)], to: id, number: number) }
        let new = NewFile(name: "a", purpose: purpose, lifetime: lifetime)
        return try await store.files.complete(id, as: new, bytes: Int64(pieces)).id
    }
}
