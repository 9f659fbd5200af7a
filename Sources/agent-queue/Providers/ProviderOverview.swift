import AgentQueue
import Glibc
import JobModel
import QueueStore
import Settings

/// A configured provider, with how it stands.
struct ProviderOverview {
    let name: String
    let settings: ProviderSettings
    /// Its address as `config show` prints it: a password in one is masked.
    let address: String?
    let key: APIKey
    /// Why it cannot be called from here; nil where it can.
    let unavailable: String?
    /// What all processes know of it; nil where nothing is known.
    let state: ProviderState?
    /// The same for its targets.
    let targets: [ProviderState]

    /// All that are configured, by name. Makes no database where there is none.
    static func all(_ session: Session) async throws -> [ProviderOverview] {
        let states = try await states(session)
        let unavailable = await unavailable(session)
        let addresses = Dictionary(session.settings.entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        return session.settings.providers.sorted { $0.key < $1.key }.map { name, settings in
            ProviderOverview(
                name: name, settings: settings, address: addresses["providers.\(name).base_url"],
                key: settings.resolveAPIKey(environment: session.environment), unavailable: unavailable[name],
                state: states.first { $0.name == name }, targets: states.filter { $0.isTarget && $0.name.hasPrefix("\(name)/") })
        }
    }

    /// Why providers cannot be called from here, by name. Calls none.
    static func unavailable(_ session: Session) async -> [String: String] {
        let set = ProviderSet(session.settings, environment: session.environment)
        // Nothing was called, so there is nothing that could fail to end.
        try? await set.shutdown()
        return set.unavailable
    }

    private static func states(_ session: Session) async throws -> [ProviderState] {
        var status = stat()
        guard stat(session.settings.database, &status) == 0 else { return [] }
        return try await session.withStore(createsFile: false) { store in try store.providerStates() }
    }
}
