import AgentQueueModel

/// Every key that does not belong to a provider, a model or a namespace.
extension Settings {
    static let keys = SettingTable<Settings>(generalKeys + ServeSettings.keys)

    private static let generalKeys: [Setting<Settings>] = [
        Setting("database", \.database, .path),
        Setting("durability", \.durability, .choice()),
        Setting("default_model", \.defaultModel, .target),
        Setting("pipelines", \.pipelines, .path),
        Setting("enable_async", \.enableAsync, .flag, isInFile: false),

        Setting("worker.concurrency", \.worker.concurrency, .integer(1...1024)),
        Setting("worker.processes", \.worker.processes, .integer(1...64)),
        Setting("worker.batch_size", \.worker.batchSize, .integer(1...10_000)),
        Setting("worker.linger", \.worker.linger, .duration(.zero ... .seconds(60))),
        Setting("worker.batch_timeout", \.worker.batchTimeout, .duration(.zero ... .seconds(60))),
        Setting("worker.lease", \.worker.lease, .duration(.seconds(1) ... .hours(24))),
        Setting("worker.shutdown_grace", \.worker.shutdownGrace, .duration(.zero ... .hours(1))),

        Setting("cache.enabled", \.cache.enabled, .flag),
        Setting("cache.max_entries", \.cache.maxEntries, .integer(0...10_000_000)),
        Setting("cache.max_bytes", \.cache.maxBytes, .bytes(0...(1 << 40))),
        Setting("cache.ttl", \.cache.ttl, .duration(.seconds(1) ... .days(3650))),
        Setting("cache.warm_on_start", \.cache.warmOnStart, .flag),
        Setting("cache.semantic.enabled", \.cache.semantic.enabled, .flag),
        Setting("cache.semantic.threshold", \.cache.semantic.threshold, .number(0...1)),

        Setting("memory.batch_size", \.memory.batchSize, .integer(1...10_000)),
        Setting("memory.vectors", \.memory.vectors, .flag),
        Setting("memory.retention", \.memory.retention, .retention),
        Setting("memory.max_bytes", \.memory.maxBytes, .bytes((1 << 20)...(1 << 50))),
        Setting("memory.embedding_model", \.memory.embeddingModel, .target),
        Setting("memory.recall_template", \.memory.recallTemplate, .recallTemplate),
        Setting("memory.approximate_above", \.memory.approximateAbove, .optional(.integer(1...1_000_000_000))),
        Setting("memory.index_bytes", \.memory.indexBytes, .bytes((1 << 20)...(1 << 40))),

        Setting("http.connection_pool_size", \.http.connectionPoolSize, .integer(1...10_000)),
        Setting("http.connect_timeout", \.http.connectTimeout, .duration(.milliseconds(100) ... .seconds(600))),
        Setting("http.request_timeout", \.http.requestTimeout, .duration(.milliseconds(100) ... .hours(24))),
        Setting("http.first_byte_timeout", \.http.firstByteTimeout, .duration(.milliseconds(100) ... .hours(24))),
        Setting("http.idle_timeout", \.http.idleTimeout, .duration(.milliseconds(100) ... .hours(24))),
        Setting("http.max_retries", \.http.maxRetries, .integer(0...10)),
        Setting("http.proxy", \.http.connection.proxy, .optional(.proxy)),
        Setting("http.ca_file", \.http.connection.caFile, .optional(.path)),
        Setting("http.client_certificate", \.http.connection.clientCertificate, .optional(.path)),
        Setting("http.client_key", \.http.connection.clientKey, .optional(.path)),

        Setting("breaker.failure_rate", \.breaker.failureRate, .number(0.01...1)),
        Setting("breaker.window", \.breaker.window, .duration(.seconds(1) ... .hours(1))),
        Setting("breaker.consecutive", \.breaker.consecutive, .integer(1...1000)),
        Setting("breaker.open_for", \.breaker.openFor, .duration(.milliseconds(100) ... .hours(24))),

        Setting("retention.completed", \.retention.completed, .duration(.zero ... .days(36_500))),
        Setting("retention.cancelled", \.retention.cancelled, .duration(.zero ... .days(36_500))),
        Setting("retention.discarded", \.retention.discarded, .duration(.zero ... .days(36_500))),
    ]
}

extension Settings {
    /// Every value with its origin, as `agent-queue config show` prints them: keys in the order of the file, then namespaces, providers,
    /// models, roles and modes by name. Values that are not set are left out, unless something removed them. Secrets are masked.
    package var entries: [SettingsEntry] {
        var entries = rows(of: self, Settings.keys, at: "")
        for (name, namespace) in memory.namespaces.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: namespace, NamespaceSettings.keys, at: "memory.namespaces.\(name).")
        }
        for (name, provider) in providers.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: provider, ProviderSettings.keys, at: "providers.\(name).")
        }
        for (name, model) in models.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: model, ModelSettings.keys, at: "models.\(name).")
        }
        for (name, notification) in notifications.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: notification, NotificationSettings.keys, at: "notifications.\(name).")
        }
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: role, RoleSettings.keys, at: "roles.\(name).")
        }
        for (name, mode) in modes.sorted(by: { $0.key < $1.key }) {
            entries += rows(of: mode, ModeSettings.keys, at: "modes.\(name).")
            for (role, changes) in mode.roles.sorted(by: { $0.key < $1.key }) {
                entries += rows(of: changes, RoleSettings.keys, at: "modes.\(name).roles.\(role).")
            }
        }
        return entries
    }

    /// The origin of a key's value.
    package func origin(of key: String) -> SettingsOrigin {
        origins[key] ?? .builtIn
    }

    private func rows<Root>(of root: Root, _ table: SettingTable<Root>, at prefix: String) -> [SettingsEntry] {
        table.settings.compactMap { setting in
            let key = prefix + setting.name
            let origin = origin(of: key)
            guard let value = setting.show(root) ?? (origin == .builtIn ? nil : "null") else { return nil }
            return SettingsEntry(key: key, value: value, origin: origin)
        }
    }
}

/// One line of `agent-queue config show`.
package struct SettingsEntry: Equatable, Sendable {
    /// The key, such as `worker.concurrency` or `providers.openai.limits.rpm`.
    package let key: String
    /// The value as it would be written in a file, with secrets masked.
    package let value: String
    /// Where the value came from.
    package let origin: SettingsOrigin

    /// - Parameter value: its secrets must be masked already.
    package init(key: String, value: String, origin: SettingsOrigin) {
        self.key = key
        self.value = value
        self.origin = origin
    }
}
