import AgentQueue

/// A provider of the program's own: it needs no model, and shows what one has to do.
///
/// Everything a queue does for other providers it does for this one: retries, limits, the cache, statistics.
struct Shout: ModelProvider {
    let name = "shout"

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        requests.map { request in
            guard let prompt = request.prompt else {
                // A failure is a value, too: this one is never tried again.
                return .failure(ModelFailure(.permanent, "shout answers texts alone"))
            }
            let words = prompt.split(separator: " ").count
            return .reply(ModelReply(prompt.uppercased() + "!", usage: Usage(inputTokens: words, outputTokens: words)))
        }
    }
}

/// `swift run own-provider`
@main
struct OwnProvider {
    static func main() async throws {
        let queue = try JobQueue(database: "queue.db", settings: ["default_model": "shout/loud"], providers: [Shout()])
        for line in ["hello there", "good night"] { try await queue.enqueue(line) }
        try await queue.work(stopsWhenEmpty: true) { event in
            print("job \(event.job): \(event.state?.rawValue ?? "lost") after attempt \(event.attempt)")
        }
        for job in try queue.jobs().reversed() {
            print("\(job.id): \(job.result?.text ?? "no answer") by \(job.target)")
        }
        try await queue.close()
    }
}
