import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import Logging

/// Finds the memories that go into a job's prompt.
struct Recaller: Sendable {
    private let store: QueueStore
    private let search: MemorySearch
    private let providers: [String: any ModelProvider]
    private let configuration: WorkerConfiguration
    private let memory: MemoryConfiguration
    private let logger: Logger
    private let complaints = LogThrottle(interval: 60_000)

    /// How many characters of a text are embedded; the second length is for models that refuse the first.
    private static let lengths = [2_000, 400]

    /// Returns nil if the worker is not configured for memories.
    init?(store: QueueStore, providers: [String: any ModelProvider], configuration: WorkerConfiguration, logger: Logger) {
        guard let memory = configuration.memory else { return nil }
        self.store = store
        self.providers = providers
        self.configuration = configuration
        self.memory = memory
        self.logger = logger
        search = MemorySearch(store, maxBytes: memory.indexBytes)
    }

    /// The memories nearest to a text, best first. Namespaces without vectors are searched by words, and their memories come last.
    /// - Throws: `ModelFailure`: the embedding's, or a permanent one if the search is not possible as requested.
    func recall(_ use: MemoryUse, by text: String, for job: ClaimedJob) async throws -> [MemoryHit] {
        do {
            var queries: [MemoryQuery] = []
            for (model, namespaces) in try groups(of: use.namespaces) {
                var query = MemoryQuery(namespaces: namespaces.map(\.name), text: text)
                query.limit = use.recall ?? 1
                if let model {
                    query.vector = try await vector(of: text, model, use, job)
                    query.scan = memory.scan(of: namespaces.lazy.map(\.memories).max() ?? 0)
                } else {
                    query.mode = .words
                }
                queries.append(query)
            }
            guard !queries.isEmpty else { return [] }
            let answers = zip(queries, try await search.answer(queries))
            let near = answers.filter { $0.0.mode != .words }.flatMap(\.1.hits).sorted {
                ($1.score, $0.memory.id) < ($0.score, $1.memory.id)
            }
            let hits = near + answers.filter { $0.0.mode == .words }.flatMap(\.1.hits)
            return Array(hits.prefix(use.recall ?? 1))
        } catch let failure as ModelFailure {
            throw Self.told(failure.failure, failure.message, retryAfter: failure.retryAfter)
        } catch let error as MemoryError {
            throw Self.told(.permanent, error.description)
        } catch let error as VectorError {
            throw Self.told(.permanent, error.description)
        } catch let error as StoreError {
            throw Self.told(.retryable, error.message)
        }
    }

    /// Groups namespaces by the model of their vectors; nil for those without vectors. Empty namespaces are left out.
    private func groups(of names: [String]) throws -> [(VectorModel?, [MemoryNamespace])] {
        let namespaces = try store.memories.withSnapshot { snapshot in
            try names.map { name in
                guard let namespace = try snapshot.namespace(named: name) else {
                    throw MemoryError("there is no namespace '\(name)'")
                }
                return namespace
            }
        }
        var groups: [(model: VectorModel?, namespaces: [MemoryNamespace])] = []
        for namespace in namespaces where namespace.memories > 0 {
            let model = memory.makesVectors ? namespace.space?.model : nil
            if model?.target == VectorModel.brought {
                throw MemoryError("namespace '\(namespace.name)' holds vectors that were brought, which no text can be compared with")
            }
            if let index = groups.firstIndex(where: { $0.model == model }) {
                groups[index].namespaces.append(namespace)
            } else {
                groups.append((model, [namespace]))
            }
        }
        return groups
    }

    private func vector(of text: String, _ model: VectorModel, _ use: MemoryUse, _ job: ClaimedJob) async throws -> [Float] {
        let embedder = try embedder(of: model, use)
        var lengths = Self.lengths[...]
        while true {
            let query = RecallPrompt.query(text, atMost: lengths.first ?? 1)
            lengths = lengths.dropFirst()
            do {
                return try await embedder.embed([query], as: .query, besides: job).first ?? []
            } catch let failure as ModelFailure {
                let isTooLong = failure.failure == .permanent && query.unicodeScalars.count > lengths.first ?? .max
                guard isTooLong else { throw failure }
            }
        }
    }

    /// The embedder of a namespace's model, which need not be the configured one.
    private func embedder(of model: VectorModel, _ use: MemoryUse) throws -> Embedder {
        guard let target = Target(model.target), let provider = providers[target.provider] else {
            throw MemoryError("the vectors are of \(model.target), whose provider this worker does not have")
        }
        let prefixes = memory.prefixes(target)
        if target != memory.model || prefixes.passage != model.passagePrefix, complaints.isDue(at: store.clock.boot()) {
            logger.warning(
                "memories are searched by the model that made their vectors, which is not the configured one",
                metadata: ["model": "\(target)", "configured": "\(memory.model)"])
        }
        let timeToLive = use.usesCache ? configuration.cacheTimesToLive[model.target] ?? configuration.cacheTimeToLive : nil
        return Embedder(
            store: store, provider: provider, target: target, queryPrefix: prefixes.query, passagePrefix: model.passagePrefix,
            prices: configuration.prices, timeout: configuration.callTimeout,
            // The queue retries the job.
            cacheTimeToLive: configuration.cacheTimeToLive == nil ? nil : timeToLive, tries: 1)
    }

    /// A failure of something other than the job's own call: it says nothing about the job's target, and its cost is charged already.
    private static func told(_ failure: FailureClass, _ message: String, retryAfter: Int64? = nil) -> ModelFailure {
        var told = ModelFailure(failure, "memories could not be recalled: \(message)", retryAfter: retryAfter)
        told.wasSent = false
        return told
    }
}

/// Puts memories into a prompt. A memory is data: whatever its text says, it remains one entry of a list.
enum RecallPrompt {
    /// Stands for the memories in a template.
    static let place = "{{memories}}"

    // MARK: Query

    /// The text of the user's last message; nil if there is none.
    static func text(of body: JSONValue) -> String? {
        guard let last = body["messages"]?.array?.last(where: { $0["role"]?.string == "user" }) else { return nil }
        if let text = last["content"]?.string { return isBlank(text) ? nil : text }
        let parts = (last["content"]?.array ?? []).compactMap { $0["text"]?.string }.filter { !isBlank($0) }
        return parts.isEmpty ? nil : parts.joined(separator: "\n")
    }

    /// The text to search for, with at most `length` characters: models truncate or refuse longer texts. Of a long message, the beginning
    /// and the end are kept, since the question is usually in one of them.
    static func query(_ text: String, atMost length: Int) -> String {
        guard text.unicodeScalars.count > length else { return text }
        let half = length / 2
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(half))) + "\n"
            + String(String.UnicodeScalarView(text.unicodeScalars.suffix(half)))
    }

    private static func isBlank(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(\.properties.isWhitespace) }

    // MARK: Insertion

    /// Fills a template with as many memories as fit, best first.
    /// - Returns: the text and the number of memories in it; nil if none fits.
    static func block(_ texts: [String], template: String, atMost bytes: Int = MemoryUse.mostBytes) -> (text: String, count: Int)? {
        let parts = template.split(separator: place, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        var entries: [String] = []
        var left = bytes - parts[0].utf8.count - parts[1].utf8.count
        for text in texts {
            let entry = entry(text)
            left -= entry.utf8.count + 1
            guard left >= 0 else { break }
            entries.append(entry)
        }
        guard !entries.isEmpty else { return nil }
        return (parts[0] + entries.joined(separator: "\n") + parts[1], entries.count)
    }

    /// One memory as an entry of a list. Its further lines are indented, so that none of them looks like another entry or like the text
    /// after the list.
    private static func entry(_ text: String) -> String {
        var entry = "- "
        var wasReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where wasReturn: break
            case "\n", "\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}": entry += "\n  "
            default: entry.unicodeScalars.append(scalar)
            }
            wasReturn = scalar == "\r"
        }
        return entry
    }

    /// A request's body with a text inserted before the user's last message.
    static func body(_ body: JSONValue, with block: String) -> JSONValue {
        guard let members = body.members, var messages = body["messages"]?.array,
            let place = messages.lastIndex(where: { $0["role"]?.string == "user" }), let message = messages[place].members
        else { return body }
        messages[place] = .object(
            message.map { member in
                guard member.key == "content" else { return member }
                switch member.value {
                case .string(let text): return .init("content", .string(block + "\n\n" + text))
                case .array(let parts): return .init("content", .array([["type": "text", "text": .string(block)]] + parts))
                default: return member
                }
            })
        return .object(members.map { $0.key == "messages" ? .init("messages", .array(messages)) : $0 })
    }
}
