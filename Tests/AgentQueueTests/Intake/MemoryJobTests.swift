import AgentQueueModel
import AgentQueueStore
import Testing

@testable import AgentQueue

/// Jobs that remember, and jobs that recall, on their way in.
@Suite struct MemoryJobTests {
    private func prefixed(usesCache: Bool = true) -> IntakeContext {
        var context = context()
        context.passagePrefix = { $0.model == "e5" ? "passage: " : "" }
        context.usesCache = usesCache
        return context
    }

    private func job(_ line: String, _ defaults: JobDraft = JobDraft()) throws -> NewJob {
        try outcome(line, defaults, prefixed()).get()
    }

    @Test func aTextIsStoredOnceBehindItsPrefix() throws {
        let job = try job(#"{"kind":"memorize","namespace":"notes","text":"The office closes at six.","metadata":{"topic":"hours"}}"#)
        #expect(job.kind == .memorize && job.target.description == "local-embeddings/e5" && job.inputs == 1)
        #expect(
            job.body
                == #"{"input":["passage: The office closes at six."],"memory":{"namespace":"notes","prefix":"passage: "}}"#)
        #expect(job.metadata == ["topic": "hours"])
        // Each must be stored, so that none is another's flight, nor answered by the cache.
        #expect(!job.useCache)
    }

    @Test func everyOptionIsKept() throws {
        let job = try job(
            #"{"kind":"memorize","text":"x","key":"k","importance":0.9,"ttl":"2h","model":"local/other","cache":false,"priority":2}"#)
        #expect(
            job.body
                == #"{"input":["x"],"memory":{"namespace":"default","key":"k","importance":0.9,"ttl_ms":7200000,"cache":false}}"#)
        #expect(job.priority == 2)
        let several = try self.job(#"{"kind":"memorize","text":["a","b"],"ttl":"never"}"#)
        #expect(several.inputs == 2 && several.body.contains(#""ttl_ms":"never""#))
    }

    @Test(arguments: [
        (#"{"kind":"memorize"}"#, "a memorize job needs at least one text"),
        (#"{"kind":"memorize","text":[]}"#, "a memorize job needs at least one text"),
        (#"{"kind":"memorize","text":"  "}"#, "the text is empty"),
        (#"{"kind":"memorize","text":["a",""]}"#, "text 2 is empty"),
        (#"{"kind":"memorize","text":"a\u0000b"}"#, "the text holds a NUL character"),
        (#"{"kind":"memorize","text":"x","namespace":["a","b"]}"#, "a memorize job has one namespace, not 2"),
        (#"{"kind":"memorize","text":"x","namespace":""}"#, "a namespace needs a name"),
        (#"{"kind":"memorize","text":["a","b"],"key":"k"}"#, "key belongs to one text, not to several"),
        (#"{"kind":"memorize","text":"x","importance":1.5}"#, "importance must be 0 to 1, not 1.5"),
        (#"{"kind":"memorize","text":"x","ttl":0}"#, "ttl must be more than 0"),
        (#"{"kind":"memorize","text":"x","recall":3}"#, "recall has no meaning for a memorize job"),
        (#"{"kind":"memorize","text":"x","prompt":"y"}"#, "prompt has no meaning for a memorize job"),
        (#"{"kind":"memorize","text":"x","dimensions":8}"#, "dimensions has no meaning for a memorize job"),
        (#"{"kind":"memorize","text":"x","batch_api":true}"#, "a memorize job cannot use the batch API"),
        (#"{"kind":"embed","input":"x","namespace":"n"}"#, "namespace has no meaning for an embed job"),
        (#"{"prompt":"x","importance":1}"#, "importance has no meaning for a generate job"),
        (#"{"prompt":"x","namespace":"n"}"#, "namespace needs recall or remember beside it"),
        (#"{"prompt":"x","recall":0}"#, "recall must be 1 to 100 memories, not 0"),
        (#"{"prompt":"x","recall":101}"#, "recall must be 1 to 100 memories, not 101"),
        (#"{"prompt":"x","remember":1}"#, "remember must be true or false, not a number"),
        (#"{"prompt":"x","recall":2,"batch_api":true}"#, "a job that recalls or remembers cannot use the batch API"),
        (#"{"messages":[{"role":"system","content":"x"}],"recall":2}"#, "recall needs a user's message with a text, to find memories by"),
        (
            #"{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"x"}],"recall":{"limit":5}}}"#,
            "recall cannot be given as another parameter"
        ),
    ])
    func whatCannotBe(_ line: String, _ sentence: String) {
        #expect(refusal(line) == sentence)
    }

    @Test func recallAndRememberAreOursAlone() throws {
        let job = try job(#"{"prompt":"x","recall":5,"namespace":["a","b","a"],"remember":true}"#)
        #expect(
            job.body
                == #"{"messages":[{"role":"user","content":"x"}],"recall":{"limit":5,"namespaces":["a","b"]},"remember":{"namespace":"a"}}"#
        )
        #expect(!job.useCache)
        let plain = try self.job(#"{"prompt":"x","remember":true,"cache":false}"#)
        #expect(plain.body == #"{"messages":[{"role":"user","content":"x"}],"remember":{"namespace":"default","cache":false}}"#)
        let without = try outcome(#"{"prompt":"x","recall":1}"#, JobDraft(), prefixed(usesCache: false)).get()
        #expect(without.body.contains(#""recall":{"limit":1,"namespaces":["default"],"cache":false}"#))
    }

    /// What the command says of memory holds for the lines that have a use for it.
    @Test func defaultsGoWhereTheyBelong() throws {
        var defaults = JobDraft()
        (defaults.namespaces, defaults.recall, defaults.remembers) = (["n"], 3, true)
        (defaults.importance, defaults.expiry) = (0.9, .never)
        (defaults.maxTokens, defaults.sample, defaults.cacheTTL, defaults.batchAPI) = (9, 1, .seconds(60), nil)
        #expect(
            try job(#"{"prompt":"x"}"#, defaults).body.contains(#""recall":{"limit":3,"namespaces":["n"]},"remember":{"namespace":"n"}"#))
        #expect(
            try job(#"{"kind":"memorize","text":"x"}"#, defaults).body
                == #"{"input":["passage: x"],"memory":{"namespace":"n","prefix":"passage: ","importance":0.9,"ttl_ms":"never"}}"#)
        #expect(try job(#"{"kind":"embed","input":"x"}"#, defaults).body == #"{"input":["x"],"sample":1}"#)
        let line = #"{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"x"}]}}"#
        #expect(try job(line, defaults).body.contains(#""recall":{"limit":3"#))
        (defaults.recall, defaults.remembers) = (nil, false)
        #expect(try job(#"{"prompt":"x"}"#, defaults).body.contains("recall") == false)
    }

    @Test func recalledMemoriesAreCountedBeforeTheyAreKnown() {
        let plain = CallEstimate(kind: .generate, body: #"{"messages":[]}"#, bound: 10, price: nil)
        let recalling = CallEstimate(
            kind: .generate, body: #"{"messages":[],"recall":{"limit":5,"namespaces":["a"]}}"#, bound: 10, price: nil)
        #expect(recalling.inputTokens > plain.inputTokens + MemoryUse.mostBytes / 4)
    }
}
