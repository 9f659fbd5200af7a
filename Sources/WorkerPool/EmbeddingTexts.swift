import JobModel
import ModelCalls
import QueueStore

/// Texts on their way to their vectors: each different one is asked for once.
struct EmbeddingTexts {
    /// One that is asked for.
    struct Request {
        /// With its prefix.
        var text: String
        var request: ModelRequest
        /// The cache key.
        var digest: [UInt8]
    }

    /// The different texts.
    let requests: [Request]
    /// Where each text as given stands among them.
    private let places: [Int]
    private var found: [[Float]?]
    private var replies: [Int: ModelReply] = [:]

    init(_ texts: [String], prefix: String, target: Target, identity: String) {
        var requests: [Request] = []
        // By their digests, for texts that differ in bytes alone are equal to Swift.
        var known: [[UInt8]: Int] = [:]
        places = texts.map { text in
            let request = ModelRequest(kind: .embed, target: target, body: ["input": .array([.string(prefix + text)])])
            let digest = request.digest(identity: identity)
            if let place = known[digest] { return place }
            requests.append(Request(text: prefix + text, request: request, digest: digest))
            known[digest] = requests.count - 1
            return requests.count - 1
        }
        self.requests = requests
        found = Array(repeating: nil, count: requests.count)
    }

    /// Those without a vector.
    var open: [Int] { found.indices.filter { found[$0] == nil } }

    func isOpen(_ place: Int) -> Bool { found[place] == nil }

    /// Takes what the cache holds.
    mutating func take(_ cached: [[UInt8]: CachedReply]) {
        for place in requests.indices {
            guard let reply = cached[requests[place].digest], let vector = reply.vectors?.first else { continue }
            found[place] = vector
        }
    }

    /// Takes an answer of one vector.
    mutating func set(_ reply: ModelReply, at place: Int) {
        found[place] = reply.embeddings?.first
        replies[place] = reply
    }

    /// What was paid for, by the cache key.
    var answered: [(digest: [UInt8], reply: ModelReply)] { replies.sorted { $0.key < $1.key }.map { (requests[$0.key].digest, $0.value) } }

    /// The vectors of all texts as given; empty ones where there is none.
    var vectors: [[Float]] { places.map { found[$0] ?? [] } }
}
