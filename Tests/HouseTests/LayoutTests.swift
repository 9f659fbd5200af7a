import Testing

/// How the code is laid out: a folder is a concern, a file a concept. A number is never a reason for a bad cut: where one does not fit,
/// say why here.
@Suite struct LayoutTests {
    @Test(arguments: ["Sources", "Tests", "Benchmarks", "Examples"])
    func aFolderHoldsAtMostTwentyFiles(_ root: String) throws {
        let folders = Dictionary(grouping: try Repository.swiftFiles(under: root), by: \.folder)
        #expect(folders.filter { $0.value.count > 20 }.keys.sorted() == [])
    }

    @Test func noFileIsLongerThanAConcept() throws {
        #expect(try Repository.swiftFiles(under: "Sources").filter { $0.lines > 400 }.map(\.path) == [])
        #expect(try Repository.swiftFiles(under: "Tests").filter { $0.lines > 600 }.map(\.path) == [])
    }

    @Test func filesAreConcepts() throws {
        let lines = try Repository.swiftFiles(under: "Sources").map(\.lines).sorted()
        // The gateway, with the dialects of four APIs, is a hundred of them.
        #expect(lines.count <= 750)
        #expect(lines[lines.count / 2] >= 70)
    }

    /// Every suite is run by `scripts/check`, which names them so that they run one after the other.
    @Test func everySuiteIsRun() throws {
        let check = try Repository.text("scripts/check")
        let list = try #require(check.firstMatch(of: /for suite in ([^;]+);/)?.output.1)
        let suites = try Repository.targets().filter { $0.hasSuffix("Tests") }
        #expect(Set(list.split(separator: " ").map(String.init)) == suites)
        // A folder under Tests is a target's, or one of those that scripts and tests compile themselves.
        let folders = try Repository.folders(in: "Tests")
        #expect(Set(folders).subtracting(suites).subtracting(["Support", "CAgentQueueReference", "Faults", "Fuzz", "Clients"]) == [])
    }

    /// A target's name carries the prefix, so that no host has one of the same (`scripts/check-host` tries it).
    @Test func everyModuleHasThePrefix() throws {
        for module in try Repository.folders(in: "Sources") {
            #expect(module.hasPrefix("AgentQueue") || ["CAgentQueue", "agent-queue", "agent-worker"].contains(module))
        }
    }
}
