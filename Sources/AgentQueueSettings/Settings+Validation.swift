import AgentQueueModel

extension Settings {
    /// Conflicts between values that are each valid by themselves. A value that only a default makes wrong is corrected instead.
    mutating func conflicts() -> [SettingsError] {
        if origin(of: "worker.linger") == .builtIn { worker.linger = min(worker.linger, worker.batchTimeout) }
        return databaseConflicts() + workerConflicts() + targetConflicts() + providerConflicts() + modelConflicts() + runConflicts()
            + notificationConflicts() + moneyConflicts() + connectionConflicts() + serveConflicts()
    }

    private func conflict(_ key: String, _ message: String, at place: String? = nil) -> SettingsError {
        SettingsError(origin: origin(of: place ?? key), key: key, message: message)
    }

    private func databaseConflicts() -> [SettingsError] {
        guard database.isEmpty else { return [] }
        return [conflict("database", "there is no default location for it; set HOME or AGENT_QUEUE_DATABASE")]
    }

    private func workerConflicts() -> [SettingsError] {
        guard worker.linger > worker.batchTimeout else { return [] }
        let (linger, most) = (DurationText.format(worker.linger), DurationText.format(worker.batchTimeout))
        return [conflict("worker.linger", "\(linger) is out of range (0s to \(most), which worker.batch_timeout sets)")]
    }

    private func targetConflicts() -> [SettingsError] {
        [("default_model", defaultModel), ("memory.embedding_model", memory.embeddingModel)].compactMap { key, target in
            unknownProvider(in: target).map { conflict(key, $0) }
        }
    }

    private func providerConflicts() -> [SettingsError] {
        providers.sorted { $0.key < $1.key }.flatMap { name, provider -> [SettingsError] in
            let key = "providers.\(name)"
            func unfit(_ part: String) -> SettingsError {
                conflict("\(key).\(part)", "does not belong to a provider of kind \(provider.kind.rawValue)")
            }
            var conflicts: [SettingsError] = []
            if provider.api != nil, provider.kind != .openai { conflicts.append(unfit("api")) }
            if provider.apiVersion != nil, provider.kind != .anthropic { conflicts.append(unfit("api_version")) }
            if provider.promptCache != nil, provider.kind != .anthropic { conflicts.append(unfit("prompt_cache")) }
            if provider.warm != nil, provider.kind != .claudeCode { conflicts.append(unfit("warm")) }
            switch provider.kind {
            case .openai, .anthropic:
                if provider.baseURL == nil { conflicts.append(conflict("\(key).base_url", "is missing", at: key)) }
                if provider.command != nil { conflicts.append(unfit("command")) }
            case .claudeCode:
                if provider.command == nil { conflicts.append(conflict("\(key).command", "is missing", at: key)) }
                if provider.firstByteTimeout != nil { conflicts.append(unfit("first_byte_timeout")) }
                if provider.idleTimeout != nil { conflicts.append(unfit("idle_timeout")) }
                if provider.embeddings.maxInputs != nil { conflicts.append(unfit("embeddings.max_inputs")) }
                if provider.embeddings.maxTokens != nil { conflicts.append(unfit("embeddings.max_tokens")) }
                if provider.embeddings.maxBytes != nil { conflicts.append(unfit("embeddings.max_bytes")) }
                if provider.batch.linger != nil { conflicts.append(unfit("batch.linger")) }
                if provider.batch.poll != nil { conflicts.append(unfit("batch.poll")) }
            }
            return conflicts
        }
    }

    private func modelConflicts() -> [SettingsError] {
        models.sorted { $0.key < $1.key }.flatMap { name, model -> [SettingsError] in
            let key = "models.\(name)"
            var conflicts: [SettingsError] = []
            if let message = unknownProvider(in: name) { conflicts.append(conflict(key, message)) }
            if model.batchAPI, providers[String(name.prefix { $0 != "/" })]?.kind == .claudeCode {
                conflicts.append(conflict("\(key).batch_api", "claude-code has no batch API"))
            }
            for fallback in model.fallbacks {
                if fallback == name { conflicts.append(conflict("\(key).fallbacks", "a target cannot be its own fallback")) }
                if let message = unknownProvider(in: fallback) { conflicts.append(conflict("\(key).fallbacks", message)) }
            }
            return conflicts
        }
    }

    /// Limits of dollars a day that cannot be kept for a target that the configuration names, because its price is unknown. The limits
    /// of the built-in providers are left to the check of each job: nobody asked for them.
    private func moneyConflicts() -> [SettingsError] {
        let prices = prices
        let named = Set([defaultModel, memory.embeddingModel] + models.keys + models.values.flatMap(\.fallbacks))
        return named.sorted().compactMap { name in
            guard let target = Target(name), let provider = providers[target.provider], !prices.canLimit(target) else { return nil }
            let limits = [
                ("providers.\(target.provider)", provider.limits.usdPerDay), ("models.\(name)", models[name]?.limits.usdPerDay),
            ].filter { $0.1 != nil }.map { "\($0.0).limits.usd_per_day" }
            guard let key = limits.first(where: { origin(of: $0) != .builtIn }) else { return nil }
            return conflict(
                key, "cannot be kept for \(name), whose price is unknown; add '\(Self.priceLine(of: name))', with its prices in US dollars")
        }
    }

    private func notificationConflicts() -> [SettingsError] {
        notifications.sorted { $0.key < $1.key }.compactMap { name, notification -> SettingsError? in
            let key = "notifications.\(name)"
            switch (notification.command, notification.url) {
            case (nil, nil): return conflict(key, "says neither command nor url")
            case (_?, _?): return conflict("\(key).url", "cannot stand beside a command")
            case (let command?, nil):
                if command.utf8.allSatisfy({ $0 <= 0x20 }) { return conflict("\(key).command", "is empty") }
                if notification.body != nil { return conflict("\(key).body", "is for a webhook (url), which posts it") }
                let secret = [("secret_env", notification.secretEnv), ("secret_file", notification.secretFile)].first { $0.1 != nil }
                return secret.map { conflict("\(key).\($0.0)", "is for a webhook (url), which it signs") }
            case (nil, _?):
                do throws(InvalidText) {
                    _ = try notification.body.map(NotificationTemplate.init)
                    return nil
                } catch {
                    return conflict("\(key).body", error.message)
                }
            }
        }
    }

    private func runConflicts() -> [SettingsError] {
        var targets = roles.map { ("roles.\($0.key).model", $0.value.model) }
        for (name, mode) in modes {
            targets.append(("modes.\(name).model", mode.model))
            targets += mode.roles.map { ("modes.\(name).roles.\($0.key).model", $0.value.model) }
        }
        return targets.sorted { $0.0 < $1.0 }.compactMap { key, target in
            // The result of a template is only known once a run has its inputs.
            guard let target, !target.contains("{{") else { return nil }
            return unknownProvider(in: target).map { conflict(key, $0) }
        }
    }

    func unknownProvider(in target: String) -> String? {
        let name = String(target.prefix { $0 != "/" })
        guard providers[name] == nil, !ownProviders.contains(name) else { return nil }
        let hint = Suggestion.hint(for: name, in: (Array(providers.keys) + ownProviders).sorted())
        return "provider \(InvalidText.quoted(name)) is not configured\(hint)"
    }
}
