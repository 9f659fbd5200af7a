import AgentQueueModel
import AgentQueueTestSupport
import Foundation

/// A command that help or a document shows.
struct Example: Sendable, CustomStringConvertible {
    /// Where it stands: `README.md`, or a command whose help shows it.
    let source: String
    /// As a reader types it into a shell.
    let line: String

    var description: String { "\(source): \(line)" }

    private static let root = URL(filePath: #filePath).appending(path: "../../../..").standardized.path(percentEncoded: false)

    /// All of the help of both programs and all of the README and `docs`, each line once.
    static func all() async throws -> [Example] {
        var examples: [Example] = []
        for program in [Program.queue, .worker] {
            let dump = try await Sandbox().shell("'\(program.path)' --experimental-dump-help")
            examples += ofHelp(try JSONValue.parse(dump.output)["command"] ?? .null, path: program.rawValue)
        }
        for page in try pages() { examples += try ofPage(page) }
        var seen: Set<String> = []
        return examples.filter { seen.insert($0.line).inserted }
    }

    /// The README and the documents, but for the recipes, which are whole scripts and have a test of their own.
    private static func pages() throws -> [String] {
        let names = FileManager.default.enumerator(atPath: root + "docs")?.compactMap { $0 as? String } ?? []
        return ["README.md"] + names.filter { $0.hasSuffix(".md") && !$0.hasPrefix("recipes/") }.sorted().map { "docs/\($0)" }
    }

    /// The indented lines of a command's discussion, and of all its subcommands'.
    private static func ofHelp(_ command: JSONValue, path: String) -> [Example] {
        let discussion = command["discussion"]?.string ?? ""
        let own = joined(discussion.split(separator: "\n").map(String.init).filter { $0.hasPrefix("  ") })
        let below = (command["subcommands"]?.array ?? []).flatMap { ofHelp($0, path: "\(path) \($0["commandName"]?.string ?? "")") }
        return own.filter(isCommand).map { Example(source: "\(path) --help", line: $0) } + below
    }

    /// The lines in the shell blocks of a page; where some begin with `$ `, the others are what the commands print.
    private static func ofPage(_ page: String) throws -> [Example] {
        let text = try String(contentsOfFile: root + page, encoding: .utf8)
        return text.matches(of: /```sh\n([\s\S]*?)```/).flatMap { match -> [Example] in
            let lines = joined(match.output.1.split(separator: "\n").map(String.init))
            let typed = lines.filter { $0.hasPrefix("$ ") }.map { String($0.dropFirst(2)) }
            return (typed.isEmpty ? lines : typed).filter(isCommand).map { Example(source: page, line: $0) }
        }
    }

    /// Whether it runs a program of ours: what follows a `#` is a remark.
    private static func isCommand(_ line: String) -> Bool {
        let command = line.firstRange(of: " #").map { line[..<$0.lowerBound] } ?? line[...]
        return command.contains(/\bagent-(queue|worker) |\bagent-(queue|worker)$/)
    }

    /// The lines without their indentation, those that end with a backslash joined with the next.
    private static func joined(_ lines: [String]) -> [String] {
        var joined: [String] = []
        var isOpen = false
        for line in lines {
            let bare = line.trimmingCharacters(in: .whitespaces)
            let text = bare.hasSuffix("\\") ? String(bare.dropLast()) : bare
            if isOpen { joined[joined.count - 1] += text } else { joined.append(text) }
            isOpen = bare.hasSuffix("\\")
        }
        return joined
    }

    /// The pipeline that a page shows under its file's name.
    static func pipeline(_ name: String, in page: String) throws -> String {
        let text = try String(contentsOfFile: root + page, encoding: .utf8)
        let rest = text.split(separator: "`pipelines/\(name).yaml`:", maxSplits: 1).last ?? ""
        return rest.firstMatch(of: /```yaml\n([\s\S]*?)```/).map { String($0.output.1) } ?? ""
    }
}
