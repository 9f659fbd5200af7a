import Testing

/// What may stand where.
@Suite struct BoundaryTests {
    private func library() throws -> [SwiftFile] {
        try Repository.swiftFiles(under: "Sources").filter { $0.path.hasPrefix("Sources/AgentQueue") }
    }

    /// Only the store's SQLite folder knows the engine.
    @Test func onlyOneFolderKnowsSQLite() throws {
        let files = try Repository.swiftFiles(under: "Sources").filter { !$0.path.hasPrefix("Sources/AgentQueueStore/SQLite/") }
        #expect(files.filter { $0.code.contains(/\bimport GRDB|\bsqlite3_\w/) }.map(\.path) == [])
    }

    /// Only the gateway serves HTTP.
    @Test func onlyTheGatewayKnowsTheServer() throws {
        let files = try Repository.swiftFiles(under: "Sources").filter { !$0.path.hasPrefix("Sources/AgentQueueGateway/") }
        #expect(files.filter { $0.code.contains(/\bimport (?:Hummingbird|HTTPTypes|NIOHTTPTypes)/) }.map(\.path) == [])
    }

    /// Wire formats are values: they wait for nothing, start nothing and know no clock.
    @Test func theDialectsAreValues() throws {
        let files = try library().filter { $0.path.hasPrefix("Sources/AgentQueueDialects/") }
        #expect(!files.isEmpty)
        #expect(files.filter { $0.code.contains(/\bawait\b|\bTask\b|\bMutex\b|\bWallClock\b|Clock\.now/) }.map(\.path) == [])
        let imports = Set(files.flatMap { $0.code.matches(of: /(?m)^import (\w+)/).map { String($0.output.1) } })
        #expect(imports == ["AgentQueueModel", "Crypto"])
    }

    /// Every statement that changes a job's state, and every one that stores a result, is a transition.
    @Test func onlyTransitionsChangeAJobsState() throws {
        let outside = try library().filter { !$0.path.hasPrefix("Sources/AgentQueueStore/Jobs/Transition") }
        let statement = /UPDATE\s+jobs\s+SET\s(?:(?!WHERE)[\s\S])*?\bstate\s*=|INSERT\s+(?:OR \w+ )?INTO\s+results\b/
        #expect(outside.filter { $0.literals.contains { $0.contains(statement) } }.map(\.path) == [])
    }

    /// Library code knows no terminal: a program that embeds it decides what an error comes to.
    @Test func theLibraryKnowsNoExitCode() throws {
        let exit = /(?m)\bExitCode\b|\bexitCode\b|\bEX_[A-Z]+\b|[(, ]exit:|(?:Glibc\.|Foundation\.|^\s*|[{;=]\s*)exit\(/
        let files = try library().filter { $0.code.contains(exit) }.map(\.path)
        #expect(files == [])
    }

    /// Nor does it name the commands of a program that its reader may not have. (The sample configuration is the programs' own, and so
    /// is the advice of the doctor, which Reports writes for them.)
    @Test func theLibraryNamesNoCommand() throws {
        let named = /(?:['`(]|run |use |see |with )agent-(?:queue|worker) [a-z]/
        let files = try library().filter {
            !$0.path.hasSuffix("/SampleConfiguration.swift") && !$0.path.hasPrefix("Sources/AgentQueueReports/Doctor/")
        }
        #expect(files.flatMap { file in file.literals.filter { $0.contains(named) }.map { "\(file.path): \($0)" } } == [])
    }

    /// What is `public` is what a program that embeds the library is meant to use.
    @Test func thePublicSurfaceIsSmall() throws {
        let count = try library().reduce(0) { count, file in
            count + file.code.matches(of: /(?m)^\s*(?:@\S+\s+)*public (?!import)/).count
        }
        #expect(count <= 450)
    }

    /// The one underscored attribute is the re-export that makes `import AgentQueue` the only import a program needs.
    @Test func noUnderscoredAttributeButOne() throws {
        let files = try library().filter { $0.code.contains(/@_\w+/) }
        #expect(files.flatMap { $0.code.matches(of: /@_\w+/).map { String($0.output) } }.allSatisfy { $0 == "@_exported" })
    }

    @Test func nothingIsForced() throws {
        let forced = /\btry!|\bfatalError\(|\bas!/
        let files = try library().filter { $0.code.contains(forced) }.map(\.path)
        #expect(files == [])
    }
}
