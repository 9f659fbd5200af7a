import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings

/// What the names of models in requests stand for.
///
/// A name is, in this order: an alias of the configuration; a target, `provider/model`; or the name of a model that one provider is
/// configured for or lists. A provider that speaks the request's own form comes before the others.
struct ModelNames: Sendable {
    private let aliases: [ModelAlias]
    /// The forms that each provider speaks.
    private let forms: [String: Set<RequestForm>]
    /// The targets that the configuration names.
    private let configured: Set<String>
    /// The models that each provider lists, as far as they are known now.
    private let listed: @Sendable () -> [String: [String]]

    /// - Parameters:
    ///   - own: the embedding program's providers.
    ///   - listed: the models that each provider lists, as far as they are known now.
    init(_ settings: Settings, own: [any ModelProvider] = [], listed: @escaping @Sendable () -> [String: [String]] = { [:] }) {
        aliases = settings.serve.models
        var forms = settings.providers.mapValues(\.forms)
        for provider in own { forms[provider.name] = provider.capabilities.forms }
        self.forms = forms
        configured = Set(settings.models.keys).union([settings.defaultModel, settings.memory.embeddingModel])
        self.listed = listed
    }

    /// The target that a name stands for.
    /// - Throws: `RequestError` with status 404 if there is none, or more than one.
    func target(of name: String, form: RequestForm) throws(RequestError) -> Target {
        if let alias = aliases.first(where: { $0.pattern.matches(name) }), let target = Target(alias.target) { return target }
        if let target = Target(name), forms[target.provider] != nil { return target }
        let models = listed()
        let candidates = forms.keys.filter { configured.contains("\($0)/\(name)") || models[$0]?.contains(name) == true }.sorted()
        let ofForm = candidates.filter { forms[$0]?.contains(form) == true }
        let found = ofForm.isEmpty ? candidates : ofForm
        guard let provider = found.first else { throw unknown(name, models) }
        guard found.count == 1 else {
            throw RequestError(
                "several providers offer the model \(InvalidText.quoted(name)); write \(found.map { "\($0)/\(name)" }.joined(separator: " or "))",
                status: 404, code: "model_not_found", param: "model")
        }
        return Target(provider: provider, model: name)
    }

    /// The form in which a provider is asked what a client wrote in another: the client's own if the provider speaks it; nil if it speaks
    /// none, or it is not known.
    func form(of provider: String, for form: RequestForm) -> RequestForm? {
        let spoken = forms[provider] ?? []
        return spoken.contains(form) ? form : [.chat, .messages, .responses].first { spoken.contains($0) }
    }

    private func unknown(_ name: String, _ models: [String: [String]]) -> RequestError {
        let targets = configured.union(models.flatMap { entry in entry.value.map { "\(entry.key)/\($0)" } }).sorted()
        let written = aliases.map(\.pattern.text).filter { !$0.contains("*") } + targets
        // What is near is shown as the client wrote its own: with the provider, or without.
        let near = Suggestion.nearest(to: name, in: written) ?? Suggestion.nearest(to: name, in: targets.compactMap { Target($0)?.model })
        let help = near.map { "did you mean \(InvalidText.quoted($0))?" } ?? "GET /v1/models lists them"
        return RequestError(
            "there is no model \(InvalidText.quoted(name)) here (\(help))", status: 404, code: "model_not_found", param: "model")
    }
}

extension ProviderSettings {
    /// The forms that such a provider speaks, as its provider says of itself.
    fileprivate var forms: Set<RequestForm> {
        switch (kind, api ?? .automatic) {
        case (.anthropic, _): [.messages]
        case (.claudeCode, _): []
        case (.openai, .chat): [.chat, .embeddings]
        case (.openai, .responses): [.responses, .embeddings]
        case (.openai, .automatic):
            // Other servers rarely know responses.
            baseURL?.hasPrefix("https://api.openai.com/") == true ? [.chat, .embeddings, .responses] : [.chat, .embeddings]
        }
    }
}
