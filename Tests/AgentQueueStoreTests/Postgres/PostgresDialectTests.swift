import AgentQueueTestSupport
import Testing

/// What the store says to SQLite, and what is said to PostgreSQL in its place.
@Suite struct PostgresDialectTests {
    @Test(
        arguments: [
            ("SELECT 1", "SELECT 1"),
            // Parameters, by order and by number. One without a number follows the largest so far.
            ("UPDATE t SET a = ?, b = ? WHERE id = ?", "UPDATE t SET a = $1, b = $2 WHERE id = $3"),
            ("SELECT ?1, ?2, ?1", "SELECT $1, $2, $1"),
            ("SELECT ?12, ?", "SELECT $12, $13"),
            ("VALUES (?)", "VALUES ($1)"),
            // Literals and quoted names stay as they are.
            ("SELECT '?1 +a CROSS JOIN x ON', ?", "SELECT '?1 +a CROSS JOIN x ON', $1"),
            ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"),
            ("SELECT \"a?\", ?", "SELECT \"a?\", $1"),
            ("SELECT '', ?", "SELECT '', $1"),
            ("SELECT 'open ?", "SELECT 'open ?"),
            // Hints for an index.
            ("SELECT id FROM jobs INDEXED BY jobs_run WHERE a = ?", "SELECT id FROM jobs WHERE a = $1"),
            ("FROM jobs INDEXED BY jobs_run\nWHERE a = 1", "FROM jobs\nWHERE a = 1"),
            ("(SELECT 1 FROM jobs INDEXED BY jobs_run)", "(SELECT 1 FROM jobs)"),
            ("SELECT a AS INDEXED_BY, b", "SELECT a AS INDEXED_BY, b"),
            // A cross join with a condition; without one it means the same to both.
            ("FROM a CROSS JOIN b ON b.id = a.id", "FROM a JOIN b ON b.id = a.id"),
            ("FROM a CROSS JOIN b AS c ON c.id = a.id", "FROM a JOIN b AS c ON c.id = a.id"),
            ("FROM a\nCROSS JOIN b\nON b.id = a.id", "FROM a\nJOIN b\nON b.id = a.id"),
            ("FROM a CROSS JOIN b WHERE a.id = 1", "FROM a CROSS JOIN b WHERE a.id = 1"),
            ("FROM a CROSS JOIN b ON x CROSS JOIN c ON y", "FROM a JOIN b ON x JOIN c ON y"),
            // A plus that leads a name, and one between two values.
            ("WHERE id = ? AND +state = 'running'", "WHERE id = $1 AND coalesce(state) = 'running'"),
            ("WHERE digest = +jobs.digest", "WHERE digest = coalesce(jobs.digest)"),
            ("SELECT (+a), max(1,+b)", "SELECT (coalesce(a)), max(1,coalesce(b))"),
            ("SET n = n + 1, m = m + excluded.m", "SET n = n + 1, m = m + excluded.m"),
            ("SELECT a + ?, +1", "SELECT a + $1, +1"),
            ("WHERE\n+state = ?", "WHERE\ncoalesce(state) = $1"),
            ("", ""),
            ("?", "$1"),
            ("+a", "coalesce(a)"),
        ] as [(String, String)])
    func aStatementIsSaidToPostgreSQL(_ sqlite: String, _ postgres: String) {
        #expect(PostgresDialect.translate(sqlite) == postgres)
    }
}
