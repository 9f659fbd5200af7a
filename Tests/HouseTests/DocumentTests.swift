import Foundation
import Testing

/// What the documents name exists: a module, a folder, a file, a link.
@Suite struct DocumentTests {
    private static let documents = ["docs/architecture.md", "CONTRIBUTING.md"]
    private static let pages =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        + ((try? FileManager.default.subpathsOfDirectory(atPath: Repository.root + "docs")) ?? []).filter { $0.hasSuffix(".md") }
        .map { "docs/\($0)" }.sorted()

    /// The words in backticks, outside blocks of code that a reader types.
    private func names(_ text: String) -> [String] {
        text.replacing(/```sh\n[\s\S]*?```/, with: "").matches(of: /`([^`\n]+)`/).map { String($0.output.1) }
    }

    /// A path is one from the root, from `Sources` or `Tests`, or from a module: `Jobs/Claim` where the module is clear.
    private func exists(_ path: String) throws -> Bool {
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        let roots = try ["", "Sources/", "Tests/"] + Repository.folders(in: "Sources").map { "Sources/\($0)/" }
        return roots.contains { Repository.exists($0 + path) }
    }

    @Test(arguments: documents) func everyPathExists(_ document: String) throws {
        let paths = names(try Repository.text(document)).filter { name in
            (name.contains("/") || name.hasSuffix(".swift")) && name.wholeMatch(of: /[A-Za-z0-9_.+\/-]+/) != nil && !name.hasPrefix("/")
        }
        #expect(paths.count > 5)
        let files = Set(
            try ["Sources", "Tests", "migrations"].flatMap { try Repository.swiftFiles(under: $0) }
                .map { String($0.path.split(separator: "/").last ?? "") })
        let missing = try paths.filter { try !exists($0) && !files.contains($0) }
        #expect(missing == [])
    }

    @Test(arguments: documents) func everyModuleExists(_ document: String) throws {
        let targets = try Repository.targets()
        let modules = names(try Repository.text(document)).filter { !$0.hasSuffix(".swift") }.compactMap {
            $0.firstMatch(of: /^C?AgentQueue[A-Z][A-Za-z]*/).map { String($0.output) }
        }
        #expect(Set(modules).subtracting(targets) == [])
    }

    /// The map of docs/architecture.md has every module, and every folder of one.
    @Test func everyModuleAndFolderIsOnTheMap() throws {
        let text = try Repository.text("docs/architecture.md")
        let names = Set(names(text).map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 })
        let modules = try Repository.folders(in: "Sources")
        let folders = try modules.flatMap { module in
            try Repository.folders(in: "Sources/\(module)").filter { !$0.contains(".") && $0 != "include" }.map { (module, $0) }
        }
        let missing =
            modules.filter { !names.contains($0) }
            + folders.filter { !names.contains($0.1) && !names.contains("\($0.0)/\($0.1)") }.map { "\($0.0)/\($0.1)" }
        #expect(missing == [])
    }

    @Test(arguments: pages) func everyLinkLeadsSomewhere(_ page: String) throws {
        let folder = page.split(separator: "/").dropLast().map { "\($0)/" }.joined()
        let links = try Repository.text(page).matches(of: /\]\(([^)#\s]+)(?:#[^)]*)?\)/).map { String($0.output.1) }
        #expect(links.filter { !$0.contains("://") && !$0.hasPrefix("mailto:") && !Repository.exists(folder + $0) } == [])
    }

    /// A reader has only the repository: a comment cites a page of it, or an address.
    @Test func commentsCitePagesThatExist() throws {
        let names = Set(Self.pages.map { String($0.split(separator: "/").last ?? "") })
        let cited = try ["Sources", "Tests"].flatMap { try Repository.swiftFiles(under: $0) }.flatMap { file in
            try Repository.text(file.path).split(separator: "\n").filter { $0.contains(".md") && $0.drop { $0 == " " }.hasPrefix("//") }
                .flatMap { line in line.matches(of: /([A-Za-z0-9_-]+\.md)\b/).map { (file.path, String($0.output.1)) } }
        }
        #expect(!cited.isEmpty)
        #expect(cited.filter { !names.contains($0.1) }.map { "\($0.0): \($0.1)" } == [])
    }
}
