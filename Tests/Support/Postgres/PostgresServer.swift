import Foundation

/// The PostgreSQL server that `scripts/postgres` starts for the tests, spoken to through `psql`.
package struct PostgresServer: Sendable {
    /// How it is reached: as AGENT_QUEUE_TEST_POSTGRES says, else as `scripts/postgres` has noted of one that runs; nil where none does.
    package static let url: String? = {
        if let url = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_POSTGRES"] { return url }
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let note = try? String(contentsOf: root.appending(path: ".venv/run/postgres.url"), encoding: .utf8)
        guard let url = note?.trimmingCharacters(in: .whitespacesAndNewlines), let folder = url.firstMatch(of: /host=([^ ]+)/)?.output.1,
            FileManager.default.fileExists(atPath: folder + "/.s.PGSQL.5432")
        else { return nil }
        return url
    }()

    private let url: String

    package init(url: String) { self.url = url }

    /// A statement that PostgreSQL refuses, and what it says.
    package struct Refusal: Sendable, CustomStringConvertible {
        package var sql: String
        package var message: String
        package var description: String { "\(message)\n\(sql)" }
    }

    /// `psql` failed as a whole.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Makes the store's schema, calls `body` with a script's beginning that puts it in use, and drops it.
    package func withSchema<T>(_ migrations: [String], _ body: (_ use: String) async throws -> T) async throws -> T {
        let name = "agent_queue_" + UUID().uuidString.lowercased().replacing("-", with: "_")
        // The schema's own functions come before PostgreSQL's of the same names and types.
        let use = "SET search_path = \(name), pg_catalog;\n"
        let tables = migrations.map(PostgresSchema.translate).joined(separator: "\n")
        let made = try await run("CREATE SCHEMA \(name);\n" + use + PostgresSchema.functions + "\n" + tables)
        guard made.errors.isEmpty else { throw Failure(description: made.errors) }
        let result: T
        do { result = try await body(use) } catch {
            _ = try? await run("DROP SCHEMA \(name) CASCADE;")
            throw error
        }
        _ = try await run("SET client_min_messages = warning; DROP SCHEMA \(name) CASCADE;")
        return result
    }

    /// The rows that a query yields, as texts.
    package func rows(_ sql: String) async throws -> [[String]] {
        let (output, errors) = try await run(sql)
        guard errors.isEmpty else { throw Failure(description: errors) }
        return output.split(separator: "\n").map { $0.split(separator: "|", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Has PostgreSQL prepare statements that are written for SQLite, and returns those that it refuses, or whose parameters or columns
    /// have a type that the store does not speak.
    package func refusals(of texts: [String], use: String) async throws -> [Refusal] {
        var script = use
        for (index, text) in texts.enumerated() {
            let statement = PostgresDialect.translate(text)
            script += "\\qecho @\(index)\n\\warn @\(index)\n\(statement)\n\\gdesc\nPREPARE s\(index) AS \(statement)\n;\n"
        }
        script += "\\qecho @\(texts.count)\nSELECT substr(name, 2), type FROM pg_prepared_statements, unnest(parameter_types) AS type;\n"
        let (output, errors) = try await run(script)
        guard texts.isEmpty || errors.contains("@\(texts.count - 1)") else {
            throw Failure(description: "psql ended before it had seen all statements: \(errors.suffix(1_000))")
        }
        var messages: [Int: [String]] = [:]
        for (index, line) in Self.marked(errors) where line.contains("ERROR") || line.contains("FATAL") {
            messages[index, default: []].append(line.replacing(#/^psql:[^ ]* /#, with: ""))
        }
        for (index, line) in Self.marked(output) {
            let cells = line.split(separator: "|").map(String.init)
            guard cells.count == 2, !Self.types.contains(cells[1]) else { continue }
            guard index == texts.count else {
                messages[index, default: []].append("its column \(cells[0]) is \(cells[1])")
                continue
            }
            messages[Int(cells[0]) ?? 0, default: []].append("a parameter is taken for \(cells[1])")
        }
        return messages.sorted { $0.key < $1.key }.map { index, lines in
            Refusal(sql: texts.indices.contains(index) ? texts[index] : "", message: Set(lines).sorted().joined(separator: "\n"))
        }
    }

    /// What the store binds and reads.
    private static let types: Set = ["bigint", "integer", "boolean", "double precision", "text", "bytea"]

    /// Lines, with the number of the statement that they are about.
    private static func marked(_ text: String) -> [(index: Int, line: String)] {
        var index = 0
        var lines: [(index: Int, line: String)] = []
        for line in text.split(separator: "\n") {
            if let mark = line.wholeMatch(of: /@([0-9]+)/) {
                index = Int(mark.output.1) ?? index
            } else {
                lines.append((index, String(line)))
            }
        }
        return lines
    }

    private func run(_ script: String) async throws -> (output: String, errors: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "aq-psql-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "script.sql"), folder.appending(path: "output"))
        try script.write(to: input, atomically: false, encoding: .utf8)
        let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": folder.path()]
        let psql = try ChildProcess(
            "/usr/bin/env",
            [
                "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url, "--file", input.path(), "--output",
                output.path(),
            ], environment: environment)
        let (ending, errors) = try await psql.endOfOutput(within: .seconds(120))
        guard ending == .exit(0) else { throw Failure(description: "psql ended with \(ending): \(errors)") }
        return (try String(contentsOf: output, encoding: .utf8), errors)
    }
}
