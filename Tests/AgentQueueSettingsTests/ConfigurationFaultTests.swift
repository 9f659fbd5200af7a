import AgentQueueModel
import Testing

@testable import AgentQueueSettings

/// Every fault that a file can have, with the line it is told on.
@Suite struct ConfigurationFaultTests {
    @Test(arguments: [
        ("worker:\n  concurency: 5\n", "agent-queue.yaml:2: unknown key 'concurency' (did you mean 'concurrency'?)"),
        ("wroker: {}\n", "agent-queue.yaml:1: unknown key 'wroker' (did you mean 'worker'?)"),
        ("\n# a comment\nprovider: {}\n", "agent-queue.yaml:3: unknown key 'provider' (did you mean 'providers'?)"),
        ("worker.concurrency: 5\n", "agent-queue.yaml:1: unknown key 'worker.concurrency'"),
        ("enable_async: false\n", "agent-queue.yaml:1: unknown key 'enable_async'"),
        ("cache:\n  semantic:\n    treshold: 1\n", "agent-queue.yaml:3: unknown key 'treshold' (did you mean 'threshold'?)"),
        ("models:\n  local/a:\n    price: { input: 1 }\n", "agent-queue.yaml:3: unknown key 'input'"),
        ("memory:\n  namespace: {}\n", "agent-queue.yaml:2: unknown key 'namespace' (did you mean 'namespaces'?)"),
        ("memory: { namespaces: { a: { rows: 1 } } }\n", "agent-queue.yaml:1: unknown key 'rows'"),
    ])
    func unknownKeys(_ yaml: String, _ expected: String) {
        #expect(Fixture(yaml).fault() == expected)
    }

    @Test(arguments: [
        ("worker:\n\n  concurrency: 0\n", "agent-queue.yaml:3: worker.concurrency: 0 is out of range (1 to 1024)"),
        ("worker: { concurrency: 1025 }", "agent-queue.yaml:1: worker.concurrency: 1025 is out of range (1 to 1024)"),
        ("worker: { lease: 500ms }", "agent-queue.yaml:1: worker.lease: 500ms is out of range (1s to 1d)"),
        ("cache:\n  ttl: -5s\n", "agent-queue.yaml:2: cache.ttl: '-5s' is negative; a duration cannot be"),
        ("cache: { max_bytes: 2TiB }", "agent-queue.yaml:1: cache.max_bytes: 2TiB is out of range (0B to 1TiB)"),
        ("breaker: { failure_rate: 1.5 }", "agent-queue.yaml:1: breaker.failure_rate: 1.5 is out of range (0.01 to 1)"),
        ("breaker: { failure_rate: 0 }", "agent-queue.yaml:1: breaker.failure_rate: 0 is out of range (0.01 to 1)"),
        ("models:\n  local/a: { cache_ttl: 10ms }", "agent-queue.yaml:2: models.local/a.cache_ttl: 10ms is out of range (1s to 3650d)"),
        (
            "memory:\n  namespaces:\n    a:\n      retention: 1s\n",
            "agent-queue.yaml:4: memory.namespaces.a.retention: 1s is out of range (1m to 36500d)"
        ),
        (
            "memory: { retention: never }\n",
            "agent-queue.yaml:1: memory.retention: 'never' is not a duration (did you mean 'forever'?)"
        ),
        (
            "memory:\n  namespaces:\n    \"a\\u0007\": {}\n",
            "agent-queue.yaml:3: 'a\\u{7}' is not a namespace's name (1 to 128 characters, no control characters)"
        ),
        ("memory: [a]\n", "agent-queue.yaml:1: memory: expected keys and values here, found a list"),
        (
            "memory: { recall_template: none }\n",
            "agent-queue.yaml:1: memory.recall_template: must hold {{memories}} once, where the memories are to stand"
        ),
        (
            "memory: { recall_template: \"{{memories}} {{memories}}\" }\n",
            "agent-queue.yaml:1: memory.recall_template: must hold {{memories}} once, where the memories are to stand"
        ),
        (
            "models:\n  a/b: { query_prefix: \"\\u001b\" }\n",
            "agent-queue.yaml:2: models.a/b.query_prefix: holds a control character"
        ),
        (
            "providers:\n  openai: { batch: { linger: 2h } }",
            "agent-queue.yaml:2: providers.openai.batch.linger: 2h is out of range (0s to 1h)"
        ),
        (
            "providers:\n  openai: { batch: { poll: 0s } }",
            "agent-queue.yaml:2: providers.openai.batch.poll: 0s is out of range (1s to 1h)"
        ),
        (
            "providers:\n  openai: { embeddings: { max_bytes: 1 } }",
            "agent-queue.yaml:2: providers.openai.embeddings.max_bytes: 1B is out of range (1KiB to 1GiB)"
        ),
        (
            "worker:\n  batch_timeout: 1s\n  linger: 2s\n",
            "agent-queue.yaml:3: worker.linger: 2s is out of range (0s to 1s, which worker.batch_timeout sets)"
        ),
    ])
    func rangesThatAreLeft(_ yaml: String, _ expected: String) {
        #expect(Fixture(yaml).fault() == expected)
    }

    @Test(arguments: [
        ("worker:\n  concurrency: five\n", "agent-queue.yaml:2: worker.concurrency: 'five' is not a whole number"),
        ("worker:\n  concurrency: 1.5\n", "agent-queue.yaml:2: worker.concurrency: '1.5' is not a whole number"),
        (
            "worker:\n  concurrency: \"5\"\n",
            "agent-queue.yaml:2: worker.concurrency: expected a whole number, found the text '5' (leave out the quotes)"
        ),
        ("worker:\n  concurrency: [5]\n", "agent-queue.yaml:2: worker.concurrency: expected a whole number, found a list"),
        ("worker:\n  concurrency: {a: 5}\n", "agent-queue.yaml:2: worker.concurrency: expected a whole number, found keys and values"),
        ("worker:\n  concurrency:\n  lease: 5s\n", "agent-queue.yaml:2: worker.concurrency: has no value (expected a whole number)"),
        ("worker:\n  lease: soon\n", "agent-queue.yaml:2: worker.lease: 'soon' is not a duration (write 10ms, 30s, 1h30m or 7d)"),
        ("cache:\n  enabled: maybe\n", "agent-queue.yaml:2: cache.enabled: 'maybe' is neither true nor false"),
        ("cache:\n  max_bytes: 64M\n", "agent-queue.yaml:2: cache.max_bytes: '64M' is not a byte count (write 500kB, 64MiB or 8GiB)"),
        ("breaker:\n  failure_rate: nan\n", "agent-queue.yaml:2: breaker.failure_rate: 'nan' is not a number"),
        ("durability: ful\n", "agent-queue.yaml:1: durability: 'ful' is not one of full, normal (did you mean 'full'?)"),
        ("worker: 5\n", "agent-queue.yaml:1: worker: expected keys and values here, found a single value"),
        ("worker:\n  - concurrency: 5\n", "agent-queue.yaml:2: worker: expected keys and values here, found a list"),
        ("just text\n", "agent-queue.yaml:1: expected keys and values here, found a single value"),
        ("providers: [a]\n", "agent-queue.yaml:1: providers: expected keys and values here, found a list"),
        ("models:\n  local/a:\n    fallbacks: local/b\n", "agent-queue.yaml:3: models.local/a.fallbacks: expected a list (such as [a, b])"),
        ("? [a]\n: 5\n", "agent-queue.yaml:1: a key must be a word"),
    ])
    func wrongTypes(_ yaml: String, _ expected: String) {
        #expect(Fixture(yaml).fault() == expected)
    }

    @Test(arguments: [
        (
            "default_model: sonnet\n",
            "agent-queue.yaml:1: default_model: 'sonnet' is not a target (write provider/model, such as anthropic/claude-sonnet-4-5)"
        ),
        ("\ndefault_model: lcoal/x\n", "agent-queue.yaml:2: default_model: provider 'lcoal' is not configured (did you mean 'local'?)"),
        ("memory: { embedding_model: nowhere/x }\n", "agent-queue.yaml:1: memory.embedding_model: provider 'nowhere' is not configured"),
        ("providers:\n  my box: { kind: openai }\n", "agent-queue.yaml:2: 'my box' is not a provider's name (letters, digits, _ and -)"),
        (
            "models:\n  gpt-5: {}\n",
            "agent-queue.yaml:2: 'gpt-5' is not a target (write provider/model, such as anthropic/claude-sonnet-4-5)"
        ),
        ("models:\n  opena/gpt: {}\n", "agent-queue.yaml:2: models.opena/gpt: provider 'opena' is not configured (did you mean 'openai'?)"),
        (
            "models:\n  local/a:\n    fallbacks: [nowhere/b]\n",
            "agent-queue.yaml:3: models.local/a.fallbacks: provider 'nowhere' is not configured"
        ),
        (
            "models:\n  local/a:\n    fallbacks: [local/a]\n",
            "agent-queue.yaml:3: models.local/a.fallbacks: a target cannot be its own fallback"
        ),
        (
            "providers:\n  box:\n    concurrency: 1\n",
            "agent-queue.yaml:2: providers.box.kind: is missing (one of openai, anthropic, claude-code)"
        ),
        ("providers:\n  box:\n    kind: openai\n", "agent-queue.yaml:2: providers.box.base_url: is missing"),
        (
            "providers:\n  box:\n    kind: opnai\n",
            "agent-queue.yaml:3: providers.box.kind: 'opnai' is not one of openai, anthropic, claude-code (did you mean 'openai'?)"
        ),
        (
            "providers:\n  openai:\n    command: x\n",
            "agent-queue.yaml:3: providers.openai.command: does not belong to a provider of kind openai"
        ),
        (
            "providers:\n  claude-code:\n    api: chat\n",
            "agent-queue.yaml:3: providers.claude-code.api: does not belong to a provider of kind claude-code"
        ),
        (
            "providers:\n  claude-code: { embeddings: { max_tokens: 5 } }\n",
            "agent-queue.yaml:2: providers.claude-code.embeddings.max_tokens: does not belong to a provider of kind claude-code"
        ),
        (
            "providers:\n  claude-code: { batch: { poll: 5s } }\n",
            "agent-queue.yaml:2: providers.claude-code.batch.poll: does not belong to a provider of kind claude-code"
        ),
        (
            "models:\n  claude-code/sonnet: { batch_api: true }\n",
            "agent-queue.yaml:2: models.claude-code/sonnet.batch_api: claude-code has no batch API"
        ),
        (
            "providers:\n  openai: { base_url: 'ftp://x' }\n",
            "agent-queue.yaml:2: providers.openai.base_url: is not an http or https URL (such as http://127.0.0.1:8089/v1)"
        ),
    ])
    func namesAndProviders(_ yaml: String, _ expected: String) {
        #expect(Fixture(yaml).fault() == expected)
    }

    @Test(arguments: [
        ("worker:\n  lease: 5s\n  concurrency: 1\n  lease: 6s\n", "agent-queue.yaml:4: duplicate key 'lease' (first on line 2)"),
        ("worker: {}\ncache: {}\n\n'worker': {}\n", "agent-queue.yaml:4: duplicate key 'worker' (first on line 1)"),
        ("worker: { lease: 5s, lease: 6s }\n", "agent-queue.yaml:1: duplicate key 'lease'"),
    ])
    func duplicateKeys(_ yaml: String, _ expected: String) {
        #expect(Fixture(yaml).fault() == expected)
    }

    @Test(arguments: [
        ("worker:\n  lease: 5s\n cache: {}\n", 3), ("worker: {}\n\tcache: {}\n", 2), ("worker: { lease: 5s\n", 2), ("a: *nothing\n", 1),
        ("worker: {}\n---\ncache: {}\n", 2), ("worker: {}\n\u{7}: 1\n", 2),
    ])
    func badYAML(_ yaml: String, _ line: Int) {
        let problem = Fixture(yaml).check().first
        #expect(problem?.message.hasPrefix("this is not valid YAML: ") == true)
        #expect(problem?.line == line)
        #expect(problem?.path == "agent-queue.yaml")
    }

    @Test func aKeyInTheWrongPlaceIsNotRepeated() {
        let faults = [
            Fixture("providers:\n  openai: { api_key_env: sk-secret }\n").fault(),
            Fixture("providers:\n  openai: { api_key: sk-secret }\n").fault(),
        ]
        #expect(faults[0]?.contains("must be the name of an environment variable") == true)
        #expect(faults[1]?.contains("a key is never written here") == true)
        #expect(faults.allSatisfy { $0?.contains("sk-secret") == false })
    }

    @Test func deepNestingIsAFault() {
        #expect(Fixture("worker: " + String(repeating: "[", count: 100_000)).fault()?.contains("not valid YAML") == true)
    }

    @Test func checkTellsEveryFault() {
        let problems = Fixture("worker: { concurrency: 0 }\ncach: {}\nhttp:\n  max_retries: x\n").check()
        #expect(problems.map(\.line) == [1, 2, 4])
        #expect(problems.map(\.key) == ["worker.concurrency", nil, "http.max_retries"])
    }

    @Test func aMessageHoldsNoControlCharacter() {
        let fault = Fixture("\"\\e[31mred\": 1\n").fault()
        #expect(fault == "agent-queue.yaml:1: unknown key '\\u{1b}[31mred'")
    }
}

@Suite struct SuggestionTests {
    static let states = ["pending", "scheduled", "available", "running", "retryable", "completed", "cancelled", "discarded"]

    @Test(arguments: [
        ("runing", "running"), ("canceled", "cancelled"), ("Completed", "completed"), ("avialable", "available"),
        ("retyrable", "retryable"),
    ])
    func findsTheNearest(_ name: String, _ expected: String) {
        #expect(Suggestion.nearest(to: name, in: Self.states) == expected)
    }

    @Test(arguments: ["", "zzz", "done", "x", String(repeating: "a", count: 5000)])
    func staysSilentWhenNothingIsNear(_ name: String) {
        #expect(Suggestion.nearest(to: name, in: Self.states) == nil)
        #expect(Suggestion.hint(for: name, in: Self.states).isEmpty)
    }

    @Test func hintsInTheWordsOfAMessage() {
        #expect(Suggestion.hint(for: "runing", in: Self.states) == " (did you mean 'running'?)")
    }
}
