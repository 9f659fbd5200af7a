import AgentQueueModel

/// A provider with a batch API, in memory: it counts what it is asked and what it charges for, and misbehaves on command.
actor FakeBatchProvider: BatchProvider {
    /// What comes of the next call of a kind.
    enum Trouble: Sendable {
        /// It is not carried out, and answered with a failure.
        case refused(ModelFailure)
        /// It is carried out, and its answer is lost.
        case answerLost
    }

    enum Call: String, Sendable, CaseIterable {
        case submit, find, get, cancel, read
    }

    struct Batch {
        var remote: RemoteBatch
        var label: String
        var items: [BatchItem]
        var results: [BatchItemResult] = []
        var isCancelling = false
    }

    nonisolated let name: String
    nonisolated let identity = "fake"
    nonisolated let capabilities = ProviderCapabilities()
    nonisolated let batchCapacity: BatchCapacity
    /// Whether the list names a batch's label.
    nonisolated let namesLabels: Bool
    /// Wall clock, ms.
    nonisolated let now: @Sendable () -> Int64
    /// Items that no batch takes.
    nonisolated let refuses: @Sendable (BatchItem) -> Bool

    private(set) var batches: [Batch] = []
    private(set) var calls: [Call] = []
    /// How often each text was charged for.
    private(set) var charges: [String: Int] = [:]
    private(set) var forgotten: [String] = []
    private var troubles: [Call: [Trouble]] = [:]
    private var answers: [String: Outcome] = [:]

    init(
        _ name: String = "local", items: Int = 100, bytes: Int = 1 << 20, namesLabels: Bool = true, now: @escaping @Sendable () -> Int64,
        refuses: @escaping @Sendable (BatchItem) -> Bool = { _ in false }
    ) {
        self.name = name
        self.namesLabels = namesLabels
        self.now = now
        self.refuses = refuses
        batchCapacity = BatchCapacity(items: items, bytes: bytes)
    }

    // MARK: What tests tell it

    func next(_ call: Call, _ trouble: Trouble) { troubles[call, default: []].append(trouble) }

    /// What a text is answered with from now on.
    func answer(_ text: String, with outcome: Outcome) { answers[text] = outcome }

    /// Ends batches under way: the first `count` items of each are answered, the others are not.
    /// - Parameter rest: what the others come to; nil leaves them out.
    func finish(_ count: Int = .max, rest: FailureClass? = .expired) {
        for index in batches.indices where batches[index].remote.status == .inProgress { finish(index, count, rest: rest) }
    }

    private func finish(_ index: Int, _ count: Int, rest: FailureClass?) {
        for (place, item) in batches[index].items.enumerated() {
            if place < count {
                let outcome = outcome(of: item)
                if case .reply = outcome { charges[Self.text(of: item), default: 0] += 1 }
                batches[index].results.append(BatchItemResult(id: item.id, outcome: outcome))
            } else if let rest {
                batches[index].results.append(BatchItemResult(id: item.id, outcome: .failure(ModelFailure(rest, "not done"))))
            }
        }
        batches[index].remote.status = .ended
    }

    /// Refuses batches under way as a whole.
    func refuse(_ reason: String) {
        for index in batches.indices where batches[index].remote.status == .inProgress { batches[index].remote.status = .refused(reason) }
    }

    /// A batch of someone else's.
    func addForeign(_ id: String, count: Int, status: RemoteBatch.Status = .ended) {
        let items = (0..<count).map {
            BatchItem(id: "else-\($0)", request: ModelRequest(kind: .generate, target: Target(provider: "local", model: "m"), body: [:]))
        }
        let remote = RemoteBatch(id: id, status: status, count: count, createdAt: now(), isCertain: false)
        let results = items.map { BatchItemResult(id: $0.id, outcome: .reply(ModelReply(text: "theirs", finishReason: "stop"))) }
        batches.append(Batch(remote: remote, label: "", items: items, results: results))
    }

    /// No trouble that has not come yet comes.
    func beWell() { troubles = [:] }

    /// Whether a batch of someone else's was given up.
    private(set) var cancelledForeign = false

    /// How often a call was made.
    func count(_ call: Call) -> Int { calls.count { $0 == call } }

    private func outcome(of item: BatchItem) -> Outcome {
        answers[Self.text(of: item)]
            ?? .reply(
                ModelReply(
                    text: "re: " + Self.text(of: item), finishReason: "stop", usage: Usage(inputTokens: 1_000_000, outputTokens: 0)))
    }

    static func text(of item: BatchItem) -> String { item.request.body["messages"]?.array?.first?["content"]?.string ?? "" }

    private func trouble(_ call: Call) -> Trouble? {
        calls.append(call)
        guard var list = troubles[call], !list.isEmpty else { return nil }
        defer { troubles[call] = list }
        return list.removeFirst()
    }

    private static var lost: ModelFailure { ModelFailure(.retryable, "the connection broke", isMaybePaid: true) }

    // MARK: BatchProvider

    nonisolated func batchSize(of item: BatchItem) -> Result<Int, ModelFailure> {
        refuses(item) ? .failure(.unsent("it asks for what no batch has")) : .success(item.request.storedBody.utf8.count)
    }

    func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        let trouble = trouble(.submit)
        if case .refused(let failure) = trouble { return .failure(failure) }
        let remote = RemoteBatch(
            id: "remote-\(name)-\(batches.count + 1)", status: .inProgress, count: items.count, createdAt: now(),
            expiresAt: now() + 86_400_000)
        batches.append(Batch(remote: remote, label: label, items: items))
        return trouble == nil ? .success(remote) : .failure(Self.lost)
    }

    func findBatches(label: String, count: Int, since: Int64, timeout: Int64) async -> Result<[RemoteBatch], ModelFailure> {
        if case .refused(let failure) = trouble(.find) { return .failure(failure) }
        let recent = batches.filter { $0.remote.createdAt >= since && $0.remote.count == count }
        guard namesLabels else {
            return .success(
                recent.map {
                    var remote = $0.remote
                    remote.isCertain = false
                    return remote
                })
        }
        return .success(recent.filter { $0.label == label }.map(\.remote))
    }

    func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        if case .refused(let failure) = trouble(.get) { return .failure(failure) }
        guard let batch = batches.first(where: { $0.remote.id == id }) else { return .failure(ModelFailure(.permanent, "no such batch")) }
        return .success(batch.remote)
    }

    /// What is done by then is the first half.
    func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        let trouble = trouble(.cancel)
        if case .refused(let failure) = trouble { return .failure(failure) }
        guard let index = batches.firstIndex(where: { $0.remote.id == id }) else {
            return .failure(ModelFailure(.permanent, "no such batch"))
        }
        if batches[index].label.isEmpty { cancelledForeign = true }
        if batches[index].remote.status == .inProgress { finish(index, batches[index].items.count / 2, rest: .cancelled) }
        return trouble == nil ? .success(batches[index].remote) : .failure(Self.lost)
    }

    func readResults(
        of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
    ) async throws -> ModelFailure? {
        let trouble = trouble(.read)
        if case .refused(let failure) = trouble { return failure }
        var rest = batches.first { $0.remote.id == batch.id }.map(\.results)?.reversed()[...] ?? []
        var isFirst = true
        while !rest.isEmpty {
            try await take(Array(rest.prefix(3)))
            rest = rest.dropFirst(3)
            // What has come is good all the same.
            if trouble != nil, isFirst { return Self.lost }
            isFirst = false
        }
        return nil
    }

    func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async { forgotten.append(batch.id) }

    // MARK: ModelProvider

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        requests.map { request in
            let item = BatchItem(id: "", request: request)
            let outcome = outcome(of: item)
            if case .reply = outcome { charges[Self.text(of: item), default: 0] += 1 }
            return outcome
        }
    }

    func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? "m") }
}
