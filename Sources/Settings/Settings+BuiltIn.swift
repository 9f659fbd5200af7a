extension Settings {
    /// `local`, `local-embeddings`, `openai`, `anthropic` and `claude-code`: everything runs without a configuration file.
    static let builtInProviders: [String: ProviderSettings] = {
        var local = ProviderSettings(kind: .openai)
        local.baseURL = "http://127.0.0.1:8089/v1"

        var localEmbeddings = ProviderSettings(kind: .openai)
        localEmbeddings.baseURL = "http://127.0.0.1:8090/v1"
        localEmbeddings.embeddings.maxInputs = 256

        var openai = ProviderSettings(kind: .openai)
        openai.baseURL = "https://api.openai.com/v1"
        openai.apiKeyEnv = "OPENAI_API_KEY"
        openai.limits.rpm = 500
        openai.limits.tpm = 200_000
        openai.limits.concurrency = 10
        openai.limits.usdPerDay = 20

        var anthropic = ProviderSettings(kind: .anthropic)
        anthropic.apiKeyEnv = "ANTHROPIC_API_KEY"

        var claudeCode = ProviderSettings(kind: .claudeCode)
        claudeCode.concurrency = 3

        return [
            "local": local, "local-embeddings": localEmbeddings, "openai": openai, "anthropic": anthropic, "claude-code": claudeCode,
        ]
    }()

    static let builtInModels: [String: ModelSettings] = {
        var sonnet = ModelSettings()
        sonnet.fallbackAfter = .seconds(30)
        sonnet.price = ModelPrice(inputPerMTok: 3, outputPerMTok: 15)
        // A model as small as this often finds no end of its own.
        var small = ModelSettings()
        small.maxOutputTokens = 512
        return ["anthropic/claude-sonnet-4-5": sonnet, "local/smollm2": small]
    }()
}
