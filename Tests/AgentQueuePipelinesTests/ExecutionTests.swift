import AgentQueueModel
import AgentQueuePipelines
import Testing

/// What a run does next, step by step, for everything that a step may have.
@Suite struct ExecutionTests {
    @Test func aStepsOutputIsWhatLaterStepsSee() throws {
        var run = try Runs(
            """
            inputs: { l: { type: list } }
            steps:
              each: { foreach: inputs.l, prompt: "{{item}}" }
              vote: { prompt: x, ensemble: { samples: 3, combine: vote } }
              group:
                needs: [each]
                repeat: { times: 2, improves: score.n, patience: 2 }
                steps:
                  score: { prompt: "{{round}}", schema: { type: object, properties: { n: { type: number } } } }
                  maybe: { when: round > 1, prompt: y }
              last: { needs: [group], prompt: z }
            """, inputs: ["l": ["a", "b"]])
        func output(_ path: String) -> StepOutput {
            var outputs: [String: String] = [:]
            while true {
                guard case .needs(let paths) = run.pipeline.output(of: path, in: run.snapshot, outputs: outputs) else {
                    return run.pipeline.output(of: path, in: run.snapshot, outputs: outputs)
                }
                for path in paths { outputs[path] = run.texts[path] }
            }
        }
        _ = run.go()
        #expect(output("each") == .none)
        run.tell([("each[0]", .completed(text: "A")), ("each[1]", .completed(text: "B"))])
        run.tell([("vote~0", .completed(text: "no")), ("vote~1", .completed(text: "yes")), ("vote~2", .completed(text: "Yes"))])
        #expect(output("each") == .value(["A", "B"]))
        #expect(output("each[1]") == .value("B"))
        #expect(output("vote") == .value("yes"))
        #expect(output("group") == .none && output("group/1") == .none)
        _ = run.tell("group/1/score", #"{"n": 5}"#)
        _ = run.tell([("group/2/score", .completed(text: #"{"n": 3}"#)), ("group/2/maybe", .completed(text: "m"))])
        // The better round is the group's.
        #expect(output("group") == .value(["score": ["n": 5], "maybe": .null]))
        #expect(output("group.score") == .value(["n": 5]))
        #expect(output("group/2") == .value(["score": ["n": 3], "maybe": "m"]))
        #expect(output("group/2/maybe") == .value("m"))
        #expect(output("last") == .none)
        for path in ["nothing", "each/1", "group/x", "each[7]", "vote[0]", "", "group.nothing", "group/1/nothing"] {
            #expect(output(path) == .unknown, "\(path)")
        }
    }

    @Test func stepsWaitForWhatTheyNeed() throws {
        var run = try Runs("steps: { c: { prompt: '{{b}}' }, a: { prompt: x }, b: { prompt: '{{a}}!' }, d: { prompt: y, needs: [a] } }")
        #expect(run.go().map(\.path) == ["a"])
        #expect(run.tell("a", "A").map(\.prompt) == ["A!", "y"])
        #expect(run.tell("d", "D") == [])
        #expect(run.tell("b", "B").map(\.path) == ["c"])
        #expect(run.tell("c", "C") == [])
        #expect(run.end == .completed(["c": "C", "d": "D"]))
    }

    @Test func aCallHasWhatItsStepSays() throws {
        let yaml = """
            inputs: { m: { default: local/x }, s: { type: object, default: { type: array } } }
            roles: { r: { system: "S{{inputs.m}}", model: "{{inputs.m}}", temperature: 0.5, max_tokens: 9, parameters: { top_p: 1, seed: 2 } } }
            steps:
              a: { role: r, prompt: p, max_tokens: 8, parameters: { seed: 3 }, schema: inputs.s, sample: 2, recall: 5, namespace: notes,
                   remember: true, timeout: 2m, budget: 0.5, cache: false, cache_ttl: 1h, max_attempts: 3 }
            """
        let call = try #require(try Runs(yaml).begin().first)
        var expected = StepCall(path: "a", prompt: "p")
        expected.system = "Slocal/x"
        expected.model = "local/x"
        expected.temperature = 0.5
        expected.maxTokens = 8
        expected.parameters = [.init("top_p", 1), .init("seed", 3)]
        expected.schema = ["type": "array"]
        expected.sample = 2
        expected.recall = 5
        expected.namespaces = ["notes"]
        expected.remembers = true
        expected.timeout = .seconds(120)
        expected.budget = 0.5
        expected.cache = false
        expected.cacheTTL = .seconds(3_600)
        expected.maxAttempts = 3
        #expect(call == expected)
        let pipeline = try Pipeline(yaml: yaml, path: "p.yaml")
        #expect(try Runs(try Pipeline(definition: pipeline.definition)).begin() == [call])
    }

    @Test func foreachMakesACallEachAndKeepsTheOrder() throws {
        var run = try Runs(
            """
            steps:
              plan: { prompt: x, schema: { type: object, properties: { parts: { type: array } } } }
              code: { foreach: plan.parts, prompt: "{{item}} {{number}}/{{count}}" }
              end: { prompt: "{{#code}}{{position}}{{.}};{{/code}}" }
            """)
        _ = run.go()
        let calls = run.tell("plan", #"{"parts":["a","b","c"]}"#)
        #expect(calls.map(\.path) == ["code[0]", "code[1]", "code[2]"])
        #expect(calls.map(\.prompt) == ["a 1/3", "b 2/3", "c 3/3"])
        #expect(run.tell("code[2]", "C") == [])
        #expect(run.tell([("code[0]", .completed(text: "A")), ("code[1]", .completed(text: "B"))]).map(\.prompt) == ["1A;2B;3C;"])
        _ = run.tell("end", "E")
        #expect(run.end == .completed("E"))
    }

    @Test(arguments: [("skip", #"["A","C"]"#), ("{ default: none }", #"["A","none","C"]"#)])
    func itemsMayFail(_ policy: String, _ expected: String) throws {
        var run = try Runs(
            "inputs: { l: { type: list } }\nsteps: { a: { foreach: inputs.l, prompt: '{{item}}', on_failure: \(policy) } }",
            inputs: ["l": [1, 2, 3]])
        #expect(run.go().count == 3)
        _ = run.tell([("a[0]", .completed(text: "A")), ("a[1]", .failed(message: "no")), ("a[2]", .completed(text: "C"))])
        #expect(run.end == .completed(try JSONValue.parse(expected)))
    }

    @Test func itemsMayBeSkipped() throws {
        var run = try Runs(
            "inputs: { l: { type: list } }\nsteps: { a: { foreach: inputs.l, when: item > 1, prompt: '{{item}}' }, b: { prompt: '{{a}}' } }",
            inputs: ["l": [1, 2, 3]])
        #expect(run.go().map(\.path) == ["a[1]", "a[2]"])
        #expect(run.tell([("a[2]", .completed(text: "y")), ("a[1]", .completed(text: "x"))]).map(\.prompt) == [#"["x","y"]"#])
    }

    @Test func nothingToGoThroughIsAnEmptyList() throws {
        var run = try Runs("inputs: { l: { type: list } }\nsteps: { a: { foreach: inputs.l, prompt: '{{item}}' } }", inputs: ["l": []])
        #expect(run.go() == [])
        #expect(run.end == .completed([]))
    }

    @Test func manyItemsBeginInSlices() throws {
        var run = try Runs(
            "inputs: { l: { type: list } }\nsteps: { a: { foreach: inputs.l, prompt: '{{item}}' } }",
            inputs: ["l": .array((0..<501).map { .integer(Int64($0)) })])
        guard case .decided(let first) = run.pipeline.advance(run.snapshot, outputs: [:]) else { return #expect(Bool(false)) }
        #expect(first.calls.count == 200 && first.isDue)
        #expect(run.go().count == 501)
        let many = try Runs(run.pipeline, inputs: ["l": .array(Array(repeating: 1, count: 10_001))])
        var copy = many
        #expect(copy.go() == [])
        #expect(copy.end == .failed("a failed: more than 10000 items (split its list over several runs)"))
    }

    @Test func longTextsAreSplitAndShortOnesJoined() throws {
        let paragraph = String(repeating: "word ", count: 15) + "end.\n\n"
        var run = try Runs(
            """
            inputs: { t: {}, size: { type: integer, default: 100 } }
            steps:
              a: { foreach: { in: inputs.t, split: inputs.size, overlap: 0 }, prompt: "{{item}}" }
              b: { foreach: { in: a, join: 100 }, prompt: "{{item}}" }
            """, inputs: ["t": .string(String(repeating: paragraph, count: 3))])
        #expect(run.go().map(\.prompt) == Array(repeating: paragraph, count: 3))
        let texts = [String(repeating: "x", count: 60), String(repeating: "y", count: 38), String(repeating: "z", count: 300)]
        let calls = run.tell((0..<3).map { ("a[\($0)]", .completed(text: texts[$0])) })
        #expect(calls.map(\.prompt) == [texts[0] + "\n\n" + texts[1], texts[2]])
    }

    @Test func piecesOverlapAndLoseNothing() throws {
        let family = "👨‍👩‍👧‍👦"
        let text = (0..<2_000).map { $0 % 7 == 0 ? "\(family)\($0)\n" : "é\($0) " }.joined()
        let pipeline = try Pipeline("p", inputs: [PipelineInput("t")]) {
            Step("a", foreach: Foreach("inputs.t", .split(300, overlap: 40)), prompt: "{{item}}")
        }
        let pieces = try Runs(pipeline, inputs: ["t": .string(text)]).begin().map(\.prompt)
        #expect(pieces.allSatisfy { $0.count <= 300 })
        let whole = pieces.dropFirst().reduce(pieces[0]) { $0 + $1.dropFirst(40) }
        #expect(whole == text)
    }

    @Test(arguments: [
        (["Yes", " yes\n", "no"], "Yes"), (["a", "b", "c"], "a"), (["no", "yes", "YES"], "yes"),
    ])
    func votesAreCounted(_ answers: [String], _ winner: String) throws {
        var run = try Runs("steps: { a: { prompt: x, ensemble: { samples: 3, combine: vote } } }")
        let calls = run.go()
        #expect(calls.map(\.path) == ["a~0", "a~1", "a~2"])
        #expect(calls.map(\.sample) == [1, 2, 3])
        _ = run.tell(answers.enumerated().map { ("a~\($0.offset)", .completed(text: $0.element)) })
        #expect(run.end == .completed(.string(winner)))
    }

    @Test func votesMayBeTooFew() throws {
        let yaml =
            "steps: { a: { prompt: x, schema: {}, ensemble: { targets: [a/x, b/y], samples: 2, combine: vote, on: v, confidence: 0.6 } } }"
        var run = try Runs(yaml)
        #expect(run.go().map(\.model) == ["a/x", "a/x", "b/y", "b/y"])
        _ = run.tell([
            ("a~0", .completed(text: #"{"v":1}"#)), ("a~1", .completed(text: "not JSON")), ("a~2", .completed(text: #"{"v":1.0}"#)),
            ("a~3", .failed(message: "no")),
        ])
        #expect(run.end == .failed("a failed: agreed by 0.5, wanted 0.6"))
        // All of them are asked again, without the cache.
        let decision = run.retry()
        #expect(decision.forgotten == ["a~0", "a~1", "a~2", "a~3"] && decision.revived == [])
        #expect(decision.calls.map(\.cache) == [false, false, false, false])
    }

    @Test func allAnswersAreKept() throws {
        var run = try Runs(
            "inputs: { t: { type: list } }\nsteps: { a: { prompt: x, ensemble: { targets: inputs.t, combine: all } } }",
            inputs: ["t": ["a/x", "b/y", "c/z"]])
        #expect(run.go().map(\.model) == ["a/x", "b/y", "c/z"])
        _ = run.tell([("a~0", .completed(text: "A")), ("a~1", .failed(message: "no")), ("a~2", .completed(text: "C"))])
        #expect(run.end == .completed(["A", .null, "C"]))
        var failing = try Runs(run.pipeline, inputs: ["t": ["a/x", "b/y"]])
        _ = failing.go()
        _ = failing.tell([("a~0", .failed(message: "no")), ("a~1", .failed(message: "never"))])
        #expect(failing.end == .failed("all 2 calls of a failed; a~0 failed: no"))
    }

    @Test func aJudgeChooses() throws {
        let yaml = """
            roles: { j: { model: j/j, temperature: 0 } }
            steps:
              a:
                prompt: x
                ensemble: { samples: 3, combine: judge, confidence: 0.5, judge: { role: j, prompt: "{{#answers}}{{number}}{{output}}{{target}} {{/answers}}" } }
            """
        var run = try Runs(yaml)
        _ = run.go()
        let calls = run.tell([("a~0", .completed(text: "A")), ("a~1", .failed(message: "no")), ("a~2", .completed(text: "C"))])
        #expect(calls.map(\.path) == ["a~judge"])
        #expect(calls.map(\.prompt) == ["1A 2C "])
        #expect(calls[0].model == "j/j" && calls[0].schema?["required"] == ["choice", "confidence", "reason"])
        let asked = run
        _ = run.tell("a~judge", #"{"choice":2,"confidence":0.9,"reason":"r"}"#)
        #expect(run.end == .completed("C"))
        run = asked
        _ = run.tell("a~judge", #"{"choice":3,"confidence":0.9,"reason":"r"}"#)
        #expect(run.end == .failed("a~judge failed: it chose none of the 2 answers"))
        run = asked
        _ = run.tell("a~judge", #"{"choice":1,"confidence":0.25,"reason":"r"}"#)
        #expect(run.end == .failed("a failed: judged with confidence 0.25, wanted 0.5"))
    }

    @Test func answersHaveTheirNumbersInASectionAboutThem() throws {
        var run = try Runs(
            """
            inputs: { l: { type: list } }
            steps:
              a:
                foreach: inputs.l
                prompt: x
                ensemble: { samples: 2, combine: judge, judge: { prompt: "{{number}}:{{#answers}}{{number}}{{output}}{{/answers}}" } }
            """, inputs: ["l": ["x", "y", "z"]])
        _ = run.go()
        #expect(run.tell([("a[2]~0", .completed(text: "A")), ("a[2]~1", .completed(text: "B"))]).map(\.prompt) == ["3:1A2B"])
    }

    @Test func aGroupIsRepeatedUntilItsConditionHolds() throws {
        var run = try Runs(
            """
            inputs: { rounds: { type: integer, default: 5 } }
            steps:
              code: { prompt: x }
              refine:
                repeat: { times: inputs.rounds, until: reflect.confidence >= 0.8 }
                steps:
                  revise: { when: round > 1, prompt: "{{round}} {{code}} {{previous.reflect.confidence}}" }
                  reflect: { prompt: "{{revise}}", schema: { type: object, properties: { confidence: { type: number } } } }
            output: "{{refine.revise}}"
            """)
        _ = run.go()
        #expect(run.tell("code", "C").map(\.path) == ["refine/1/reflect"])
        let second = run.tell("refine/1/reflect", #"{"confidence":0.5}"#)
        #expect(second.map(\.path) == ["refine/2/revise"])
        #expect(second.map(\.prompt) == ["2 C 0.5"])
        #expect(run.tell("refine/2/revise", "R").map(\.prompt) == ["R"])
        _ = run.tell("refine/2/reflect", #"{"confidence":0.8}"#)
        #expect(run.end == .completed("R"))
    }

    @Test func aGroupEndsWhereItNoLongerImproves() throws {
        var run = try Runs(
            """
            steps:
              g:
                repeat: { times: 9, improves: s.n, patience: 2 }
                steps: { s: { prompt: x, schema: { type: object, properties: { n: { type: number } } } } }
            """)
        _ = run.go()
        for (round, score) in [3, 5, 5, 6, 6, 1].enumerated() { _ = run.tell("g/\(round + 1)/s", #"{"n":\#(score)}"#) }
        #expect(run.end == .completed(["s": ["n": 6]]))
        #expect(run.begun.count == 6)
    }

    @Test func skippedStepsAreNull() throws {
        var run = try Runs(
            "inputs: { y: { type: boolean, default: false } }\nsteps: { a: { when: inputs.y, prompt: x }, b: { prompt: '{{#a}}no{{/a}}{{^a}}yes{{/a}}' } }"
        )
        #expect(run.go().map(\.prompt) == ["yes"])
    }

    @Test func failuresAreWhatTheirPolicySays() throws {
        func run(_ policy: String) throws -> Runs {
            var run = try Runs("steps: { a: { prompt: x\(policy) }, b: { prompt: '<{{a}}>' }, c: { prompt: z } }")
            _ = run.go()
            _ = run.fail("a", "refused")
            return run
        }
        #expect(try run("").end == .failed("a failed: refused"))
        #expect(try run(", on_failure: skip").begun == ["a", "c", "b"])
        var other = try run(", on_failure: { default: D }")
        _ = other.tell([("b", .completed(text: "B")), ("c", .completed(text: "C"))])
        #expect(other.end == .completed(["b": "B", "c": "C"]))
    }

    @Test func whatIsNoJSONHasFailed() throws {
        var run = try Runs("steps: { a: { prompt: x, schema: {}, on_failure: skip }, b: { prompt: '<{{a}}>' } }")
        _ = run.go()
        #expect(run.tell("a", "hello").map(\.prompt) == ["<>"])
    }

    @Test func aGroupMayFail() throws {
        var run = try Runs(
            "steps: { g: { on_failure: skip, steps: { a: { prompt: x }, b: { prompt: y }, c: { prompt: '{{b}}' } } }, e: { prompt: '<{{g}}>' } }"
        )
        #expect(run.go().map(\.path) == ["g/1/a", "g/1/b"])
        #expect(run.fail("g/1/a") == [])
        #expect(run.tell("g/1/b", "B").map(\.prompt) == ["<>"])
    }

    @Test func aRetryRedoesWhatFailedAndWhatCameOfIt() throws {
        var run = try Runs(
            """
            inputs: { l: { type: list, default: [1, 2] } }
            steps:
              a: { prompt: x }
              each: { foreach: inputs.l, prompt: "{{a}}{{item}}", on_failure: skip }
              sum: { prompt: "{{each}}" }
              other: { prompt: y }
              last: { prompt: "{{sum}}{{other}}" }
            """)
        _ = run.go()
        _ = run.tell([("a", .completed(text: "A")), ("other", .completed(text: "O"))])
        _ = run.tell([("each[0]", .completed(text: "E")), ("each[1]", .failed(message: "no"))])
        #expect(run.tell("sum", "S").map(\.path) == ["last"])
        _ = run.fail("last")
        #expect(run.end == .failed("last failed: no"))
        let decision = run.retry()
        #expect(decision.revived == ["each[1]"])
        #expect(decision.forgotten == ["last", "sum"])
        #expect(decision.calls == [])
        #expect(run.tell("each[1]", "F").map(\.prompt) == [#"["E","F"]"#])
        _ = run.tell("sum", "S2")
        _ = run.tell("last", "L")
        #expect(run.end == .completed("L"))
        #expect(run.begun == ["a", "other", "each[0]", "each[1]", "sum", "last", "sum", "last"])
    }

    @Test func aRetryGoesOnInItsRound() throws {
        var run = try Runs(
            "steps: { g: { repeat: { times: 3 }, steps: { a: { prompt: '{{previous.b}}', on_failure: skip }, b: { prompt: '{{a}}' } } } }")
        _ = run.go()
        _ = run.tell("g/1/a", "A")
        _ = run.tell("g/1/b", "B")
        _ = run.fail("g/2/a")
        _ = run.tell("g/2/b", "B2")
        _ = run.tell("g/3/a", "A3")
        _ = run.fail("g/3/b")
        let decision = run.retry()
        #expect(decision.revived == ["g/2/a"])
        #expect(decision.forgotten == ["g/2/b", "g/3/a", "g/3/b"])
    }

    @Test func oneTagAloneIsItsValue() throws {
        var run = try Runs("steps: { a: { prompt: x, schema: { type: object, properties: { n: {} } } } }\noutput: '{{a.n}}'")
        _ = run.go()
        _ = run.tell("a", #"{"n":[1,{"b":2}]}"#)
        #expect(run.end == .completed([1, ["b": 2]]))
    }
}
