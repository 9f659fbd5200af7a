import AgentQueueModel
import Foundation
import Testing

@testable import AgentQueueStore

/// docs/reference/database.md, which people write SQL by, against the schema.
@Suite struct DatabasePageTests {
    private func page() throws -> String {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../../..").standardized
        return try String(contentsOf: root.appending(path: "docs/reference/database.md"), encoding: .utf8)
    }

    @Test func everyQueryOfThePageRuns() async throws {
        let queries = try page().matches(of: /```sql\n([\s\S]*?)```/).map { String($0.output.1) }
        #expect(queries.count >= 5)
        try await withStore { f in
            try await f.answer(try await f.running { $0.batch = "monday" })
            let rows = try queries.map { try f.raw().rows($0) }
            #expect(rows.first?.count == 1, "the first query finds the answer of batch monday")
        }
    }

    /// Every table that the page has in bold, and every column that its table or its sentence names.
    @Test func everyTableAndColumnOfThePageExists() async throws {
        let text = try page()
        let tables = text.matches(of: /\*\*`([a-z_]+)`\*\*/).map { (name: String($0.output.1), range: $0.range) }
        #expect(tables.count >= 12)
        let queries = try #require(text.range(of: "## Queries")).lowerBound
        try await withStore { f in
            for (table, end) in zip(tables, tables.dropFirst().map(\.range.lowerBound) + [queries]) {
                let section = text[table.range.upperBound..<end]
                let known = Set(try f.raw().rows("SELECT name FROM pragma_table_info('\(table.name)')").flatMap { $0 })
                #expect(!known.isEmpty, "\(table.name)")
                let rows = section.matches(of: /(?m)^\| ((?:`[a-z_]+`(?:, )?)+) \|/).map { String($0.output.1) }
                let named = (rows.isEmpty ? String(section.prefix { $0 != "." }) : rows.joined())
                    .replacing(/\([^)]*\)/, with: "").matches(of: /`([a-z_]+)`/).map { String($0.output.1) }
                #expect(!named.isEmpty, "\(table.name)")
                #expect(Set(named).subtracting(known) == [], "\(table.name)")
            }
        }
    }
}
