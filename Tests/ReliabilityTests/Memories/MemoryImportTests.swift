import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// `agent-queue memory import` is killed again and again: each batch is there whole or not at all, the same command goes on where it
    /// was, and no text is paid for twice but those that were under way.
    @Suite struct MemoryImportTests {
        private static let lines = 4_000
        private static let batch = 100
        private static let configuration = "memory: { embedding_model: scripted/m, batch_size: \(batch) }"

        private static func text(_ number: Int) -> String { "remark \(number)" }

        /// Writes the lines, and returns where.
        private static func write(in scene: Scene, withVectors: Bool) throws -> String {
            let path = scene.folder + "/memories.jsonl"
            let lines = (0..<Self.lines).map { number -> String in
                var members = [JSONValue.Member("text", .string(text(number)))]
                if withVectors {
                    let vector = EmbeddingServer.vector(of: text(number))
                    members.append(.init("vector", .array(vector.map { .double(Double($0)) })))
                }
                return JSONValue.object(members).text + "\n"
            }
            try lines.joined().write(toFile: path, atomically: true, encoding: .utf8)
            return path
        }

        @Test(arguments: [true, false])
        func goesOnWhereItWasKilled(_ withVectors: Bool) async throws {
            let server = EmbeddingServer(maxInputs: 50, delay: .milliseconds(4))
            try await withScene(server.script, configuration: Self.configuration, provider: ", embeddings: { max_inputs: 50 }") { scene in
                let path = try Self.write(in: scene, withVectors: withVectors)
                var kills = 0
                // A few batches each time, and then a random moment.
                for round in 1... {
                    let run = try scene.start("memory", "import", path)
                    let wanted = min(Self.lines, try scene.memories() + Self.batch * Int.random(in: 0...2))
                    try await until("\(wanted) memories") { try run.ending != nil || scene.memories() >= wanted }
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...15_000)))
                    run.send(SIGKILL)
                    let ending = try await run.end()
                    let count = try scene.memories()
                    #expect(count % Self.batch == 0, "round \(round): \(count)")
                    #expect(try scene.store.maintenance.check().faults == [], "round \(round)")
                    if ending == .exit(0) { break }
                    #expect(ending == .signal(SIGKILL), "\(run.output)")
                    kills += 1
                    // There is nothing more to wait for: each further one would be killed before it has looked at all lines.
                    if count == Self.lines { break }
                    try #require(kills < 200)
                }
                let (ending, output) = try await scene.run("memory", "import", path, "--json")
                #expect(ending == .exit(0), "\(output)")
                let report = try JSONValue.parse(output)
                #expect(report["duplicates"]?.int == Self.lines, "\(output)")
                #expect(report["stored"]?.int == 0)
                let memories = try scene.store.memories.list(in: "default", after: 0, limit: 2 * Self.lines)
                #expect(memories.map(\.text).sorted() == (0..<Self.lines).map(Self.text).sorted())
                try await Self.expectFound(in: scene)
                if withVectors {
                    #expect(server.calls.isEmpty)
                } else {
                    let embedded = server.calls.flatMap(\.texts)
                    #expect(Set(embedded) == Set((0..<Self.lines).map(Self.text)))
                    // At each kill, one batch may be on its way into the database, and the next with the model.
                    #expect(embedded.count <= Self.lines + kills * 2 * Self.batch)
                    print("memory import: \(embedded.count) texts embedded for \(Self.lines) with \(kills) kills")
                }
                #expect(kills >= 5)
            }
        }

        /// Each lies where its text says: the command finds it by its vector.
        private static func expectFound(in scene: Scene) async throws {
            let queries = stride(from: 0, to: lines, by: 97).map { number -> String in
                let vector = EmbeddingServer.vector(of: text(number)).map { JSONValue.double(Double($0)) }
                return JSONValue.object([.init("vector", .array(vector)), .init("limit", 1)]).text + "\n"
            }
            let path = scene.folder + "/queries.jsonl"
            try queries.joined().write(toFile: path, atomically: true, encoding: .utf8)
            let (ending, output) = try await scene.run("memory", "search", "--jsonl", path, "--json")
            #expect(ending == .exit(0), "\(output)")
            let texts = try output.split(separator: "\n").compactMap { line in
                try JSONValue.parse(String(line))["hits"]?.array?.first?["text"]?.string
            }
            #expect(texts == stride(from: 0, to: lines, by: 97).map(text))
        }
    }
}

extension Scene {
    /// How many memories there are.
    func memories() throws -> Int { Int(try number("SELECT count(*) FROM memories") ?? 0) }
}
