import AgentQueueModel
import Testing

@testable import AgentQueueSettings

@Suite struct SettingsTests {
    @Test func everythingRunsWithoutAFile() throws {
        let settings = try Fixture().load()
        var builtIn = Settings(database: "/home/ada/.local/share/agent-queue/queue.db")
        builtIn.pipelines = "/project/pipelines"
        #expect(settings == builtIn)
        #expect(settings.providers.keys.sorted() == ["anthropic", "claude-code", "local", "local-embeddings", "openai"])
        #expect(settings.entries.allSatisfy { $0.origin == .builtIn })
        #expect(settings.provider(of: try TargetName(settings.defaultModel))?.baseURL == "http://127.0.0.1:8089/v1")
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "worker:\ncache: ~\nproviders:\nmodels:\n  anthropic/claude-sonnet-4-5:\n", "{}"])
    func aFileMaySayNothing(_ yaml: String) throws {
        var settings = try Fixture(yaml).load()
        settings.origins = [:]
        settings.configPath = nil
        #expect(settings == (try Fixture().load()))
    }

    @Test func aProviderIsChangedKeyByKey() throws {
        let yaml = "providers:\n  openai:\n    limits: { rpm: 60, tpm: null }\n  box: { kind: openai, base_url: http://box/v1/ }\n"
        let settings = try Fixture(yaml).load()
        let openai = try #require(settings.providers["openai"])
        #expect(openai.limits.rpm == 60)
        #expect(openai.limits.tpm == nil)
        #expect(openai.limits.usdPerDay == 20)
        #expect(openai.apiKeyEnv == "OPENAI_API_KEY")
        #expect(settings.providers["box"]?.baseURL == "http://box/v1")
        #expect(settings.providers.count == 6)
        let shown = settings.entries.filter { $0.key.hasPrefix("providers.openai.limits") }.map { "\($0.key)=\($0.value) (\($0.origin))" }
        #expect(
            shown == [
                "providers.openai.limits.rpm=60 (agent-queue.yaml:3)", "providers.openai.limits.tpm=null (agent-queue.yaml:3)",
                "providers.openai.limits.concurrency=10 (default)", "providers.openai.limits.usd_per_day=20 (default)",
            ])
    }

    @Test func aProviderOfAnotherKindInheritsNothing() throws {
        let settings = try Fixture("providers:\n  openai: { kind: claude-code }\n").load()
        #expect(settings.providers["openai"] == ProviderSettings(kind: .claudeCode))
    }

    @Test func aKeyFileTakesThePlaceOfAnInheritedVariable() throws {
        let settings = try Fixture("providers:\n  openai: { api_key_file: ~/keys/openai }\n").load()
        #expect(settings.providers["openai"]?.apiKeyEnv == nil)
        #expect(settings.providers["openai"]?.apiKeyFile == "/home/ada/keys/openai")
    }

    @Test func theTighterConcurrencyHolds() {
        var provider = ProviderSettings(kind: .openai)
        #expect(provider.maxConcurrency == nil)
        provider.concurrency = 8
        #expect(provider.maxConcurrency == 8)
        provider.limits.concurrency = 3
        #expect(provider.maxConcurrency == 3)
    }

    @Test func modelsAreChangedAndAdded() throws {
        let settings = try Fixture(
            "models:\n  anthropic/claude-sonnet-4-5: { fallbacks: [] }\n  local/big: { price: { input_per_mtok: 2 }, batch_api: true }\n"
        ).load()
        let sonnet = settings.model(try TargetName("anthropic/claude-sonnet-4-5"))
        #expect(sonnet.fallbacks.isEmpty)
        #expect(sonnet.price == PriceSettings(inputPerMTok: 3, outputPerMTok: 15))
        let big = settings.model(try TargetName("local/big"))
        #expect(big.price == PriceSettings(inputPerMTok: 2, outputPerMTok: 0))
        #expect(big.batchAPI)
        #expect(settings.model(try TargetName("local/unheard-of")) == ModelSettings())
    }

    @Test func cacheAndBatchesOfSingleTargetsAndProviders() throws {
        let settings = try Fixture(
            """
            providers:
              openai: { batch: { linger: 0s, poll: 1s }, embeddings: { max_inputs: 100, max_tokens: 300000, max_bytes: 4MiB } }
              anthropic: { batch: { poll: 5m } }
            models:
              openai/gpt-5: { cache_ttl: 7d, semantic_cache: true, batch_api: true }
              openai/other: { semantic_cache: false }

            """
        ).load()
        let openai = try #require(settings.providers["openai"])
        #expect((openai.batch.linger, openai.batch.poll) == (.zero, .seconds(1)))
        #expect((openai.embeddings.maxInputs, openai.embeddings.maxTokens, openai.embeddings.maxBytes) == (100, 300_000, 4 << 20))
        #expect(settings.providers["anthropic"]?.batch.linger == nil)
        #expect(settings.providers["anthropic"]?.batch.poll == .seconds(300))
        let model = settings.model(try TargetName("openai/gpt-5"))
        #expect((model.cacheTTL, model.semanticCache, model.batchAPI) == (.seconds(7 * 86_400), true, true))
        #expect(settings.model(try TargetName("openai/other")).semanticCache == false)
        #expect(settings.cacheTTL(of: "openai/gpt-5") == .seconds(7 * 86_400))
        #expect(settings.cacheTTL(of: "openai/other") == .seconds(30 * 60))
        let shown = Dictionary(uniqueKeysWithValues: settings.entries.map { ($0.key, $0.value) })
        #expect(shown["providers.openai.batch.linger"] == "0s")
        #expect(shown["providers.openai.embeddings.max_bytes"] == "4MiB")
        #expect(shown["models.openai/gpt-5.semantic_cache"] == "true")
        #expect(shown["providers.anthropic.batch.linger"] == nil)
    }

    @Test func memoryOfSingleNamespacesAndModels() throws {
        let settings = try Fixture(
            #"""
            memory:
              approximate_above: 2000000
              recall_template: "Known:\n{{memories}}\n\\ \"that\""
              namespaces:
                notes: { max_rows: 1000, retention: 1d }
                "team: a": { max_bytes: 1GiB }
            models:
              local/e5-large: { query_prefix: "", passage_prefix: "text: " }

            """#
        ).load()
        #expect(settings.memory.approximateAbove == 2_000_000)
        #expect(settings.memory.recallTemplate == "Known:\n{{memories}}\n\\ \"that\"")
        let notes = try #require(settings.memory.namespaces["notes"])
        #expect((notes.maxRows, notes.maxBytes, notes.retention) == (1_000, nil, .limited(.seconds(86_400))))
        #expect(settings.memory.namespaces["team: a"]?.maxBytes == 1 << 30)
        #expect(settings.retention(ofNamespace: "notes") == .limited(.seconds(86_400)))
        #expect(settings.retention(ofNamespace: "team: a") == .forever)
        let shown = Dictionary(uniqueKeysWithValues: settings.entries.map { ($0.key, "\($0.value) (\($0.origin))") })
        #expect(shown["memory.namespaces.notes.max_rows"] == "1000 (agent-queue.yaml:5)")
        #expect(shown["memory.namespaces.team: a.max_bytes"] == "1GiB (agent-queue.yaml:6)")
        #expect(shown["memory.recall_template"] == "\"Known:\\n{{memories}}\\n\\\\ \\\"that\\\"\" (agent-queue.yaml:3)")
        #expect(shown["models.local/e5-large.query_prefix"] == "\"\" (agent-queue.yaml:8)")
        #expect(shown["models.local/e5-large.passage_prefix"] == "\"text: \" (agent-queue.yaml:8)")
    }

    @Test(arguments: [
        ("local-embeddings/multilingual-e5-small", "query: ", "passage: "), ("box/intfloat/E5-large-v2", "query: ", "passage: "),
        ("openai/text-embedding-3-small", "", ""), ("box/me5x", "", ""), ("e5/other", "", ""),
    ])
    func theModelsNameSuggestsThePrefixes(_ target: String, _ query: String, _ passage: String) throws {
        var settings = try Fixture().load()
        #expect((settings.queryPrefix(of: target), settings.passagePrefix(of: target)) == (query, passage))
        settings.models[target] = ModelSettings()
        settings.models[target]?.queryPrefix = ""
        #expect((settings.queryPrefix(of: target), settings.passagePrefix(of: target)) == ("", passage))
        settings.models[target]?.passagePrefix = "p "
        #expect(settings.passagePrefix(of: target) == "p ")
    }

    @Test func aShorterBatchTimeoutShortensTheDefaultLinger() throws {
        #expect(try Fixture("worker: { batch_timeout: 0 }").load().worker.linger == .zero)
    }

    @Test func anchorsWork() throws {
        let settings = try Fixture("retention: { completed: &week 1w, cancelled: *week }\n").load()
        #expect(settings.retention.cancelled == .seconds(604_800))
    }

    @Test func secretsAreMasked() throws {
        let settings = try Fixture("providers:\n  box: { kind: openai, base_url: 'https://ada:pw@box:81/v1?key=sk' }\n").load()
        #expect(settings.providers["box"]?.baseURL == "https://ada:pw@box:81/v1?key=sk")
        #expect(settings.entries.first { $0.key == "providers.box.base_url" }?.value == "https://***@box:81/v1?***")
    }

    @Test func entriesReadBackAsTheFileThatSaysThem() throws {
        let settings = try Fixture().load()
        let values = Dictionary(uniqueKeysWithValues: settings.entries.map { ($0.key, $0.value) })
        #expect(values["worker.linger"] == "10ms")
        #expect(values["cache.max_bytes"] == "64MiB")
        #expect(values["memory.retention"] == "forever")
        #expect(values["breaker.failure_rate"] == "0.5")
        #expect(values["breaker.window"] == "1m")
        #expect(values["models.anthropic/claude-sonnet-4-5.fallbacks"] == "[]")
        #expect(values["models.anthropic/claude-sonnet-4-5.price.output_per_mtok"] == "15")
        #expect(values["providers.local.api_key_env"] == nil)
    }
}
