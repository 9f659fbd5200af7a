import JobModel
import ModelCalls

extension MemorySpace {
    /// How many texts one job embeds.
    private static let textsPerJob = 100
    /// How many bytes of texts one job embeds, unless a single text is longer.
    private static let bytesPerJob = 256 << 10

    /// The batch of the jobs that fill it.
    public func batch(in namespace: String) -> String { "reembed \(namespace) \(id)" }

    /// The jobs that embed memories again and put their vectors here, in their order; none where the space is of no target.
    /// - Parameter identity: who embeds: the provider's kind and base URL. It names the job's request, and decides nothing.
    public func jobs(for memories: [Memory], in namespace: String, identity: String = "") -> [NewJob] {
        guard let target = Target(model.target) else { return [] }
        return Self.portions(of: memories).map { memories in
            var order = MemoryOrder(namespace: namespace, prefix: model.passagePrefix)
            order.again = MemoryOrder.Again(space: id, ids: memories.map(\.id), versions: memories.map(\.version))
            var job = NewJob(order, texts: memories.map(\.text), target: target, identity: identity)
            // Those who wait for an answer go first.
            job.priority = 9
            job.batch = batch(in: namespace)
            return job
        }
    }

    private static func portions(of memories: [Memory]) -> [[Memory]] {
        var portions: [[Memory]] = []
        var bytes = 0
        for memory in memories {
            bytes += memory.text.utf8.count
            if let last = portions.last, last.count < textsPerJob, bytes <= bytesPerJob {
                portions[portions.count - 1].append(memory)
            } else {
                portions.append([memory])
                bytes = memory.text.utf8.count
            }
        }
        return portions
    }
}
