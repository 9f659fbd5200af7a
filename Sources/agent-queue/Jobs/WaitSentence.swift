import QueueStore

/// What a pending job waits for, in words.
enum WaitSentence {
    static func of(_ wait: JobWait) -> String {
        switch wait {
        case .identicalJob(let id): "an identical job's answer" + (id.map { " (job \($0) is running)" } ?? "")
        case .providerBatch(let id, .collecting): "batch \(id), which takes more jobs before it is sent to the provider"
        case .providerBatch(let id, _): "batch \(id) at the provider"
        case .jobs(let ids): (ids.count == 1 ? "job " : "jobs ") + ids.map(String.init).joined(separator: ", ")
        }
    }
}
