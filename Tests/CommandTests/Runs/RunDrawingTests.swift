import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports
import Testing

@testable import agent_queue

/// A run's graph as it is drawn, by itself.
@Suite struct RunDrawingTests {
    private static func call(
        _ path: String, _ state: StepState = .completed, job: JobState = .completed, at start: Int64 = 1_000, took: Int64 = 500,
        target: String = "a/b"
    ) -> StepCallDetail {
        var call = StepCallDetail(record: StepRecord(path: path, jobID: 1, state: state))
        call.jobState = job
        (call.createdAt, call.attemptedAt) = (start, start)
        if job.isFinal { call.finalizedAt = start + took }
        call.target = target
        if job == .completed {
            call.answeredBy = .provider
            call.usage = Usage(inputTokens: 10, outputTokens: 1)
            call.cost = 0.5
        }
        return call
    }

    private static func graph(_ nodes: [StepNode], _ calls: [StepCallDetail], _ state: RunState = .running) -> RunGraph {
        let summary = RunSummary(id: 1, name: "n", state: state, createdAt: 0)
        let snapshot = RunSnapshot(id: 1, name: "n", digest: [], definition: "", inputs: .object([]), options: RunOptions())
        return RunGraph(nodes, RunDetail(summary: summary, snapshot: snapshot, output: nil, calls: calls))
    }

    /// The lines without their titles, blanks squeezed but for those at the start.
    private static func tree(_ graph: RunGraph, all: Bool = false) -> [String] {
        RunTree(graph, all: all, now: 3_000, glyphs: .unicode).lines.dropFirst().map { line in
            let indent = line.prefix { $0 == " " }
            return indent + line.split(separator: " ").joined(separator: " ")
        }
    }

    private static let plan = StepNode(name: "plan", role: "planner", needs: [])
    private static let code = StepNode(name: "code", role: "coder", needs: ["plan"], manner: "for each of plan.parts")

    @Test func pathsAreTakenApart() {
        let path = CallPath("a/2/b/11/review[3]~judge")
        #expect((path.step, path.suffix) == ("a/2/b/11/review", "[3]~judge"))
        #expect(path.rounds.map(\.group) == ["a", "a/2/b"])
        #expect(path.rounds.map(\.round) == [2, 11])
        #expect(CallPath("plan").step == "plan" && CallPath("plan").suffix.isEmpty && CallPath("plan").rounds.isEmpty)
    }

    @Test func whatRunsAndWhatWaits() {
        let lines = Self.tree(Self.graph([Self.plan, Self.code], [Self.call("plan", .running, job: .running)]))
        #expect(lines == ["● plan running 2s a/b", "○ code for each of plan.parts waiting"])
        let retrying = Self.tree(Self.graph([Self.plan], [Self.call("plan", .running, job: .retryable)]))
        #expect(retrying == ["● plan retrying 2s a/b"])
    }

    @Test func aStepThatWasPassedOverWasSkipped() {
        let last = StepNode(name: "last", role: nil, needs: ["code"])
        let lines = Self.tree(Self.graph([Self.plan, Self.code, last], [Self.call("plan"), Self.call("last", .running, job: .running)]))
        #expect(lines[1] == "– code for each of plan.parts skipped")
        #expect(Self.tree(Self.graph([Self.plan], [], .cancelled)) == ["– plan skipped"])
    }

    @Test func manyCallsAreFoldedToACountAndTheFailedOnes() {
        let calls = (0..<20).map { index in
            Self.call("code[\(index)]", index == 7 ? .failed : .completed, job: index == 7 ? .discarded : .completed)
        }
        let lines = Self.tree(Self.graph([Self.code], calls))
        #expect(
            lines == [
                "✓ code for each of plan.parts completed 19/20, 1 failed 500ms 190 19 $9.50 a/b", "  ✗ [7] failed 500ms a/b",
            ])
        #expect(Self.tree(Self.graph([Self.code], calls), all: true).count == 21)
        #expect(Self.tree(Self.graph([Self.code], Array(calls.prefix(3)))).count == 4)
    }

    @Test func roundsBeforeTheLastAreOnALineEach() {
        let inner = [StepNode(name: "revise", role: nil, needs: []), StepNode(name: "judge", role: nil, needs: ["revise"])]
        let group = StepNode(name: "refine", role: nil, needs: [], manner: "up to 3 times", children: inner)
        let calls = [Self.call("refine/1/judge"), Self.call("refine/2/revise"), Self.call("refine/2/judge", .running, job: .running)]
        #expect(
            Self.tree(Self.graph([group], calls)) == [
                "● refine up to 3 times running 2/3 2s 20 2 $1.00 a/b", "  ✓ round 1 completed 500ms 10 1 $0.50 a/b",
                "  ● round 2 running 1/2 2s 10 1 $0.50 a/b", "    ✓ revise completed 500ms 10 1 $0.50 a/b",
                "    ● judge running 2s a/b",
            ])
        #expect(Self.tree(Self.graph([group], calls), all: true)[2] == "    – revise skipped")
        #expect(Self.tree(Self.graph([group], [])) == ["○ refine up to 3 times waiting", "  ○ revise waiting", "  ○ judge waiting"])
    }

    @Test func whatTheCacheAnsweredCostsNothing() {
        var call = Self.call("plan")
        (call.answeredBy, call.cost) = (.cache, 0)
        #expect(Self.tree(Self.graph([Self.plan], [call])) == ["✓ plan completed 500ms a/b (cache)"])
    }

    @Test func hostileNamesCannotLeaveTheirPlace() {
        let hostile = "x\"]; click s0 \"javascript:alert(1)\" %%{init: {}}%% <img src=x>\n  s0 --> s0 `#\u{1B}\u{202E}"
        let node = StepNode(name: hostile, role: hostile, needs: [], manner: hostile, condition: hostile)
        let graph = Self.graph([node], [Self.call(hostile, target: hostile)])
        let chart = RunMermaid.lines(graph, now: 0)
        #expect(chart.count == 4, "\(chart)")
        #expect(chart[0] == "flowchart TD" && chart[2].hasPrefix("  class s0 ") && chart[3].hasPrefix("  classDef "))
        let label = chart[1].dropFirst("  s0[\"".count).dropLast("\"]".count)
        #expect(chart[1] == "  s0[\"\(label)\"]")
        #expect(!label.replacing("<br/>", with: "").contains { "\"<>`%{}[]()&\\\n\u{1B}\u{202E}".contains($0) }, "\(label)")
        #expect(RunMermaid.escaped("a\"b#c;") == "a#34;b#35;c#59;")
        #expect(RunMermaid.escaped("Überschrift – 題") == "Überschrift – 題")
        for line in RunTree(graph, all: true, now: 0, glyphs: .ascii).lines {
            #expect(line.unicodeScalars.allSatisfy { !DisplayText.isHidden($0) })
        }
    }

    @Test func aChartHasGroupsAndArrows() {
        let inner = [StepNode(name: "revise", role: nil, needs: []), StepNode(name: "judge", role: nil, needs: ["revise"])]
        let group = StepNode(name: "refine", role: nil, needs: ["plan"], manner: "up to 3 times", condition: "plan.ok", children: inner)
        let chart = RunMermaid.lines(Self.graph([Self.plan, group], [Self.call("plan")], .failed), now: 0)
        #expect(
            chart.prefix(8) == [
                "flowchart TD", "  s0[\"plan<br/>completed, 500ms, 11 tokens, $0.50\"]",
                "  subgraph s1[\"refine<br/>up to 3 times<br/>when plan.ok<br/>skipped\"]", "    s2[\"revise<br/>skipped\"]",
                "    s3[\"judge<br/>skipped\"]", "    s2 --> s3", "  end", "  s0 --> s1",
            ])
        #expect(chart.contains("  class s0 completed") && chart.contains("  class s3 skipped"))
    }

    @Test(
        arguments: [
            (["LANG": "C.UTF-8"], true), (["LANG": "en_US.utf8"], true), ([:], false), (["LANG": "en_US.UTF-8", "LC_ALL": "C"], false),
            (["LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C"], true),
        ] as [([String: String], Bool)])
    func theLocaleDecidesTheSigns(_ variables: [String: String], _ isUTF8: Bool) {
        #expect(Glyphs.isUTF8 { variables[$0] } == isUTF8)
    }
}
