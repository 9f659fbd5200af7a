import AgentQueueModel
import Foundation
import Testing

/// The table of a job's options.
@Suite struct JobOptionTests {
    /// A value for each option.
    private static let samples: [String: JSONValue] = [
        "kind": "embed", "prompt": "p", "messages": [["role": "user"]], "input": ["a", "b"], "text": ["a"], "system": "s", "role": "r",
        "model": "a/b", "max_tokens": 1, "temperature": 0.5, "schema": ["type": "object"], "sample": 2, "queue": "q", "priority": 9,
        "delay": "1h30m", "at": "2026-12-01T09:00:00.001Z", "expires_in": "1ms", "max_attempts": 1000, "timeout": "10m", "budget": 0.25,
        "unique_key": "u", "custom_id": "c", "tags": ["t"], "batch": "b", "after": [1, 2], "metadata": ["k": "v"], "cache": false,
        "cache_ttl": "1s", "batch_api": false, "deadline": "6h", "on_finish": ["n"], "on_batch_finish": ["n"],
        "on_failure": ["n"], "on_batch_failure": ["n"], "namespace": ["n"],
        "key": "k", "importance": 0.25, "ttl": "never", "recall": 100, "remember": true, "stream": true,
    ]

    @Test func everyOptionReadsAndWritesItsOwnProperty() throws {
        let unsaid = Self.properties(JobDraft())
        var written: Set<String> = ["parameters", "tokenInputs"]
        #expect(Set(JobOption.all.map(\.name)) == Set(Self.samples.keys))
        for (place, option) in JobOption.all.enumerated() {
            let sample = try #require(Self.samples[option.name])
            var draft = JobDraft()
            #expect(!option.isGiven(draft) && option.write(draft) == nil)
            try option.read(OptionValue(sample), &draft)
            try option.check(draft)
            #expect(option.id == place && option.isGiven(draft))
            #expect(option.write(draft)?.text == sample.text, "\(option.name)")
            let changed = Self.properties(draft).filter { unsaid[$0.key] != $0.value }.keys
            #expect(changed.count == 1, "\(option.name)")
            written.formUnion(changed)
            option.reset(&draft)
            #expect(draft == JobDraft(), "\(option.name)")
        }
        #expect(written == Set(unsaid.keys))
    }

    private static func properties(_ draft: JobDraft) -> [String: String] {
        Dictionary(uniqueKeysWithValues: Mirror(reflecting: draft).children.map { ($0.label ?? "", "\($0.value)") })
    }

    @Test func thereIsRoomForAllInASet() throws {
        #expect(JobOption.all.count <= 64)
        var ids = JobOption.IDs()
        for option in JobOption.all { ids.insert(option.id) }
        #expect(ids.options.map(\.name) == JobOption.all.map(\.name))
        for option in JobOption.all { ids.remove(option.id) }
        #expect(ids == JobOption.IDs())
        var draft = JobDraft()
        (draft.priority, draft.cache) = (5, false)
        #expect(JobOption.given(in: draft).options.map(\.name) == ["priority", "cache"])
    }

    @Test(
        arguments: [
            ("priority", 0, "0 is out of range (1 to 9)"), ("priority", 10, "10 is out of range (1 to 9)"),
            ("max_attempts", 1_001, "1001 is out of range (1 to 1000)"), ("temperature", 2.1, "2.1 is out of range (0 to 2)"),
            ("max_tokens", 0, "0 is out of range (1 to 10000000)"), ("recall", 101, "101 is out of range (1 to 100 memories)"),
            ("sample", -1, "-1 is out of range (0 to 1000000)"), ("importance", -0.1, "-0.1 is out of range (0 to 1)"),
            ("budget", 0, "must be more than 0 and at most 1000000 US dollars, not 0.0"), ("timeout", "0s", "must be at least 1 ms"),
            ("delay", "3661d", "3661d is too long (at most 3660d)"), ("cache_ttl", "500ms", "500ms is out of range (1s to 3650d)"),
            ("cache_ttl", "3651d", "3651d is out of range (1s to 3650d)"),
            ("queue", "a b", "'a b' cannot hold blanks, commas or control characters"),
            ("batch", " ", "is empty"), ("tags", [" "], "tag is empty"), ("after", [0], "after: 0 is not a job's id"),
            ("key", "a\nb", "'a\\u{a}b' cannot be one (at most 512 characters, no control characters)"),
            ("ttl", 0, "must be more than 0"), ("metadata", ["a": "\u{0}"], "holds a NUL character"),
        ] as [(String, JSONValue, String)])
    func boundsAreHeld(_ name: String, _ value: JSONValue, _ fault: String) throws {
        let option = try #require(JobOption.byKey[name])
        var draft = JobDraft()
        try option.read(OptionValue(value), &draft)
        #expect { try option.check(draft) } throws: { ($0 as? OptionFault)?.inYAML == fault }
    }

    @Test(
        arguments: [
            ("prompt", 1, .type(.text)), ("priority", 1.5, .type(.wholeNumber)), ("temperature", "1", .type(.number)),
            ("cache", 0, .type(.flag)),
            ("tags", "t", .type(.list)), ("tags", [1], .element("strings", 1)), ("namespace", 1, .type(.texts)),
            ("metadata", [], .type(.object)),
            ("after", [1.5], .element("job ids", 1.5)), ("delay", true, .type(.duration)), ("delay", -1, .data("cannot be negative")),
            ("at", "tomorrow", .phrase("'tomorrow' is not a time (write 2026-12-01T09:00Z or 2026-12-01T09:00:00+02:00)")),
        ] as [(String, JSONValue, OptionFault)])
    func typesAreHeld(_ name: String, _ value: JSONValue, _ fault: OptionFault) throws {
        let option = try #require(JobOption.byKey[name])
        var draft = JobDraft()
        #expect(throws: fault) { try option.read(OptionValue(value), &draft) }
    }
}
