import AgentQueue

extension Session {
    /// Opens the store, lends its memories, and closes it, whatever happens.
    func withMemories<Result>(_ body: (Memories) async throws -> Result) async throws -> Result {
        try await withStore { store in
            let memories = Memories(settings, store: store, environment: environment) { Diagnostics.say($0) }
            do {
                let result = try await body(memories)
                try await memories.shutdown()
                return result
            } catch {
                // What ended the command is what the person is told.
                try? await memories.shutdown()
                throw error
            }
        }
    }
}
