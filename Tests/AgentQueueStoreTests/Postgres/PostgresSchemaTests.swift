import AgentQueueMigrations
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueStore

/// The schema that is made for PostgreSQL by rule is the one that SQLite has.
@Suite(.enabled(if: PostgresServer.url != nil, "no PostgreSQL: scripts/postgres start"))
struct PostgresSchemaTests {
    private let server = PostgresServer(url: PostgresServer.url ?? "")

    /// The tables that only SQLite has: its own, its record of migrations, and the index of words.
    private static let isOurs = "name NOT LIKE 'sqlite%' AND name NOT LIKE 'memory_words%' AND name <> 'migrations'"

    /// What two queries find, one a line.
    private func expectSame(_ sqlite: String, _ postgres: String) async throws {
        try await withStore { f in
            let expected = try Set(f.raw().rows(sqlite).map { $0.joined(separator: " ") })
            let found = try await server.withSchema(Migration.all.map(\.sql)) { use in
                Set(try await server.rows(use + postgres).map { $0.joined(separator: " ") })
            }
            #expect(!expected.isEmpty)
            #expect(found.subtracting(expected).sorted() == [])
            #expect(expected.subtracting(found).sorted() == [])
        }
    }

    @Test func itHasTheSameColumns() async throws {
        try await expectSame(
            """
            SELECT tables.name, columns.name, columns."notnull" OR columns.pk > 0,
            CASE columns.type WHEN 'INTEGER' THEN 'bigint' WHEN 'REAL' THEN 'double precision' WHEN 'BLOB' THEN 'bytea' ELSE 'text' END
            FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND \(Self.isOurs)) AS tables
            JOIN pragma_table_info(tables.name) AS columns
            """,
            """
            SELECT table_name, column_name, CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END, data_type FROM information_schema.columns
            WHERE table_schema = current_schema();
            """)
    }

    @Test func itHasTheSameIndexes() async throws {
        try await expectSame(
            """
            SELECT tables.name, indexes."unique", indexes.partial, (SELECT group_concat(name, ',') FROM (
                SELECT name FROM pragma_index_info(indexes.name) ORDER BY seqno))
            FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND \(Self.isOurs)) AS tables
            JOIN pragma_index_list(tables.name) AS indexes
            UNION ALL
            SELECT tables.name, 1, 0, columns.name
            FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%' AND \(Self.isOurs)) AS tables
            JOIN pragma_table_info(tables.name) AS columns ON columns.pk > 0 AND columns.type = 'INTEGER'
            WHERE (SELECT count(*) FROM pragma_table_info(tables.name) WHERE pk > 0) = 1
            """,
            """
            SELECT relname, CASE WHEN indisunique THEN 1 ELSE 0 END, CASE WHEN indpred IS NULL THEN 0 ELSE 1 END,
            (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(indkey) WITH ORDINALITY AS key (number, place)
             JOIN pg_attribute ON attrelid = indrelid AND attnum = number)
            FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = current_schema()::regnamespace;
            """)
    }

    @Test func itHasTheSameReferences() async throws {
        try await expectSame(
            """
            SELECT tables.name, keys."from", keys."table", keys.on_delete
            FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND \(Self.isOurs)) AS tables
            JOIN pragma_foreign_key_list(tables.name) AS keys
            """,
            """
            SELECT conrelid::regclass, attname, confrelid::regclass,
            CASE confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' END
            FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
            WHERE contype = 'f' AND connamespace = current_schema()::regnamespace;
            """)
    }

    /// As many in each table: what they say is the same text.
    @Test func itHasAsManyChecks() async throws {
        try await expectSame(
            """
            SELECT name, (length(sql) - length(replace(sql, 'CHECK (', ''))) / length('CHECK (')
            FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%CHECK (%' AND \(Self.isOurs)
            """,
            """
            SELECT conrelid::regclass, count(*) FROM pg_constraint
            WHERE contype = 'c' AND connamespace = current_schema()::regnamespace GROUP BY conrelid;
            """)
    }

    @Test(
        arguments: [
            ("max(1, 2)", "2"), ("max(NULL::bigint, 2)", ""), ("max(1.5, 1::double precision)", "1.5"), ("min(1, 2)", "1"),
            ("min(1, NULL::bigint)", ""), ("instr('openai/gpt', '/')", "7"), ("instr('openai', '/')", "0"),
            ("(SELECT total(x) FROM (VALUES (1::bigint), (NULL)) AS t (x))", "1"),
            ("(SELECT total(x) FROM (SELECT 1.5::double precision AS x WHERE false) AS t)", "0"),
            ("(SELECT sum(x) FROM (SELECT 1::bigint AS x WHERE false) AS t)", ""),
            ("(SELECT pg_typeof(sum(x)) FROM (VALUES (1::bigint), (2), (NULL)) AS t (x))", "bigint"),
            ("(SELECT max(value) FROM json_each('[3, 1, 2]'))", "3"), ("(SELECT count(*) FROM json_each('[]'))", "0"),
        ] as [(String, String)])
    func itsFunctionsDoWhatSQLitesDo(_ expression: String, _ value: String) async throws {
        try await server.withSchema(Migration.all.map(\.sql)) { use in
            let rows = try await server.rows(use + "SELECT 'is', \(expression);")
            #expect(rows == [["is", value]])
        }
    }
}
