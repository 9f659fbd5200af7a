import AgentQueueModel
import Synchronization

extension MaintenanceStore {
    /// How long changes that killed entries are kept for in-memory indexes, in ms. An index that has not caught up for longer is rebuilt.
    private static let changesKept: Int64 = 600_000

    /// Compacts the vectors in small transactions, alongside everything else: merges small blocks, removes dead entries, and deletes what
    /// forgotten namespaces and replaced vectors left behind. Only checks if nothing has changed since this process last did it.
    package func compactMemory() async throws {
        try await clearForgotten()
        let (number, spaces) = try store.memories.withSnapshot { (try $0.latestNumber(), try $0.allSpaces()) }
        for (space, state) in spaces where state == "dropped" { while try await write({ try $0.clear(space: space.id) }) {} }
        if store.compactedTo.withLock({ $0 }) != number {
            for (space, state) in spaces where state != "dropped" { try await compact(space) }
            store.compactedTo.withLock { $0 = number }
        }
        let before = clock.wall() - Self.changesKept
        while try await write({ try $0.forgetChanges(before: before) }) {}
    }

    /// Deletes what forgotten namespaces still hold.
    func clearForgotten() async throws {
        let namespaces = try store.memories.withSnapshot {
            try $0.statement("SELECT id FROM namespaces WHERE is_forgotten = 1").all { $0.int64(0) }
        }
        for namespace in namespaces { while try await write({ try $0.clear(namespace: namespace) }) {} }
    }

    /// Rewrites the blocks of a space that are worth it. A snapshot decides; the transaction checks again.
    private func compact(_ space: MemorySpace) async throws {
        let blocks = try store.memories.withSnapshot { try $0.blocks(of: space) }
        for group in BlockSummary.groups(of: blocks, capacity: BlockContent.capacity(dimension: space.dimension)) {
            try Task.checkCancellation()
            let rewrite = try store.memories.withSnapshot { try $0.rewrite(of: Array(group), dimension: space.dimension) }
            guard let rewrite else { continue }
            try await write { try $0.replace(Array(group), by: rewrite, in: space) }
        }
    }
}

/// The result of rewriting blocks.
struct BlockRewrite {
    /// The live entries.
    var content = BlockContent()
    /// The memory of each entry that was dropped.
    var dead: [Int64] = []
}

extension MemorySnapshot {
    /// Every space, with its state.
    fileprivate func allSpaces() throws -> [(MemorySpace, String)] {
        try statement("SELECT id, namespace_id, model, passage_prefix, dimension, state FROM memory_spaces ORDER BY id").all { row in
            (
                MemorySpace(
                    id: row.int64(0), namespaceID: row.int64(1), model: VectorModel(target: row.text(2), passagePrefix: row.text(3)),
                    dimension: row.dimension(4)), row.text(5)
            )
        }
    }

    /// The blocks of a space, in order.
    func blocks(of space: MemorySpace) throws -> [BlockSummary] {
        try statement("SELECT id, last, entries, dead FROM memory_blocks WHERE space_id = ? ORDER BY last").bind(space.id).all {
            BlockSummary(id: $0.int64(0), last: $0.int64(1), entries: $0.int(2), dead: $0.int(3))
        }
    }

    /// The blocks without their dead entries; nil if they no longer match their summaries.
    fileprivate func rewrite(of blocks: [BlockSummary], dimension: Int) throws -> BlockRewrite? {
        var rewrite = BlockRewrite()
        let version = try statement("SELECT version FROM memories WHERE id = ?")
        for block in blocks {
            let content = try statement(
                "SELECT heads, codes, vectors FROM memory_codes JOIN memory_vectors USING (block_id) WHERE block_id = ?"
            )
            .bind(block.id).first { BlockContent(heads: $0.blob(0), codes: $0.blob(1), values: $0.blob(2)) }
            guard let content, content.count == block.entries else { return nil }
            guard content.isWhole(dimension: dimension) else { throw SQLFailure.damagedBlock }
            let dead = rewrite.dead.count
            for index in 0..<content.count {
                let head = content.head(index)
                if let version = try version.bind(head.memoryID).first({ $0.int64(0) }), version < head.number {
                    rewrite.content.append(content.entry(index))
                } else {
                    rewrite.dead.append(head.memoryID)
                }
            }
            guard rewrite.dead.count - dead == block.dead else { return nil }
        }
        return rewrite
    }
}

extension WriteTransaction {
    /// Replaces several blocks by one, if they still match their summaries.
    fileprivate func replace(_ blocks: [BlockSummary], by rewrite: BlockRewrite, in space: MemorySpace) throws(SQLFailure) {
        for block in blocks {
            let now = try statement("SELECT id, last, entries, dead FROM memory_blocks WHERE id = ? AND space_id = ?")
                .bind(block.id).bind(space.id).first {
                    BlockSummary(id: $0.int64(0), last: $0.int64(1), entries: $0.int(2), dead: $0.int(3))
                }
            guard now == block else { return }
        }
        for block in blocks { try statement("DELETE FROM memory_blocks WHERE id = ?").bind(block.id).run() }
        try insert(rewrite.content, in: space.id)
        for memory in rewrite.dead { try forgetDead(of: memory) }
    }

    /// Records that a dead entry of a memory is gone.
    private func forgetDead(of memory: Int64) throws(SQLFailure) {
        try statement("UPDATE memory_changes SET dead = dead - 1 WHERE memory_id = ?").bind(memory).run()
    }

    /// Deletes a slice of a space that is no longer searched. Returns whether there may be more.
    fileprivate func clear(space id: Int64) throws(SQLFailure) -> Bool {
        let block = try statement(
            "SELECT id, heads FROM memory_blocks JOIN memory_codes ON block_id = id WHERE space_id = ? ORDER BY last LIMIT 1"
        ).bind(id).first { (id: $0.int64(0), content: BlockContent(heads: $0.blob(1))) }
        if let block {
            for index in 0..<block.content.count {
                let head = block.content.head(index)
                try statement("DELETE FROM memory_entries WHERE memory_id = ? AND space_id = ?").bind(head.memoryID).bind(id).run()
                let version = try statement("SELECT version FROM memories WHERE id = ?").bind(head.memoryID).first { $0.int64(0) }
                if version ?? .max >= head.number { try forgetDead(of: head.memoryID) }
            }
            try statement("DELETE FROM memory_blocks WHERE id = ?").bind(block.id).run()
            return true
        }
        let revisits = try statement(
            "DELETE FROM memory_revisits WHERE space_id = ?1 AND memory_id IN (SELECT memory_id FROM memory_revisits WHERE space_id = ?1 LIMIT 500)"
        ).bind(id).run()
        guard revisits == 0 else { return true }
        try statement("DELETE FROM memory_spaces WHERE id = ?").bind(id).run()
        return false
    }

    /// Deletes a slice of the changes whose dead entries are gone. Returns whether there may be more.
    fileprivate func forgetChanges(before time: Int64) throws(SQLFailure) -> Bool {
        let changes = try statement(
            "SELECT memory_id, namespace_id, number FROM memory_changes WHERE dead = 0 AND changed_at < ? LIMIT 500"
        ).bind(time).all { (memory: $0.int64(0), namespace: $0.int64(1), number: $0.int64(2)) }
        var horizons: [Int64: Int64] = [:]
        for change in changes {
            try statement("DELETE FROM memory_changes WHERE memory_id = ?").bind(change.memory).run()
            horizons[change.namespace] = max(horizons[change.namespace] ?? 0, change.number)
        }
        for (namespace, number) in horizons {
            try statement("UPDATE namespaces SET horizon = max(horizon, ?) WHERE id = ?").bind(number).bind(namespace).run()
        }
        return changes.count == 500
    }
}
