import Foundation
import Testing

/// The pages of docs/reference name what the code has: no more, no less.
@Suite struct ReferencePageTests {
    /// The words in backticks in the first column of a page's tables, after a heading or sentence and up to another.
    private func keys(_ page: String, from start: String? = nil, to end: String? = nil) throws -> Set<String> {
        var text = Substring(try Repository.text("docs/reference/\(page)"))
        if let start { text = text[try #require(text.range(of: start)).upperBound...] }
        if let end { text = text[..<(try #require(text.range(of: end)).lowerBound)] }
        let cells = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { $0.split(separator: "|").first }
        return Set(cells.flatMap { $0.matches(of: /`([a-z_]+)`/).map { String($0.output.1) } })
    }

    /// The first groups of a pattern's matches in a part of a source file.
    private func names(_ file: String, from start: String, to end: String, _ pattern: Regex<(Substring, Substring)>) throws -> Set<String> {
        let text = try Repository.text(file)
        let after = text[try #require(text.range(of: start)).upperBound...]
        let part = after[..<(try #require(after.range(of: end)).lowerBound)]
        return Set(part.matches(of: pattern).map { String($0.output.1) })
    }

    @Test func everyKeyOfALineIsOnItsPage() throws {
        let rows = try Repository.text("Sources/AgentQueueModel/Jobs/JobOption.swift")
            .matches(of: /rows\.add\("([a-z_]+)",[^\n]* in: (asked|outside|everywhere|\[[^\]]*\])/)
        let ofLines = rows.filter { !$0.output.2.hasPrefix("[") || $0.output.2.contains(".line") }.map { String($0.output.1) }
        #expect(ofLines.count > 30)
        #expect(try keys("lines.md") == Set(ofLines))
    }

    @Test func everyKeyOfAJobIsOnItsPage() throws {
        let file = "Sources/AgentQueueReports/Jobs/JobJSON.swift"
        let key = /\.init\("([a-z_]+)"/
        let job = try names(file, from: "package static func job(", to: "package static func result(", key)
        #expect(job.count > 30)
        #expect(try keys("job.md", to: "`result`:") == job.subtracting(["pid"]))
        let result = try names(file, from: "package static func result(", to: "package static func batch(", key)
        #expect(try keys("job.md", from: "`result`:", to: "`errors[]`:") == result)
        let error = try names(file, from: "private static func error(", to: "package enum ReceiptJSON", key)
        #expect(try keys("job.md", from: "`errors[]`:", to: nil) == error)
    }

    @Test func everyErrorClassIsOnItsPage() throws {
        let file = "Sources/AgentQueueModel/Calls/ModelFailure.swift"
        let named = try names(file, from: "enum FailureClass", to: "\n}", /case \w+ = "([a-z_]+)"/)
        let plain = try names(file, from: "enum FailureClass", to: "\n}", /(?m)case ([a-z]+)$/)
        #expect(named.count + plain.count > 10)
        #expect(try keys("error-classes.md") == named.union(plain))
    }

    @Test func everyExitCodeIsOnItsPage() throws {
        let codes = try names(
            "Sources/agent-queue/CommandLine/FailureReport.swift", from: "enum ExitStatus", to: "\n}", /case \w+ = (\d+)/)
        let page = try Repository.text("docs/reference/exit-codes.md").matches(of: /(?m)^\| (\d+) \|/).map { String($0.output.1) }
        #expect(Set(page) == codes)
    }
}
