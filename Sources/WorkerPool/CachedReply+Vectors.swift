import JobModel
import QueueStore

extension CachedReply {
    /// The vectors of an answer to an `embed` request; nil where it holds none that can be read.
    var vectors: [[Float]]? {
        guard let lists = (try? JSONValue.parse(reply))?["embeddings"]?.array else { return nil }
        var vectors: [[Float]] = []
        for list in lists {
            guard let values = list.array else { return nil }
            let vector = values.compactMap { $0.number.map(Float.init) }
            guard vector.count == values.count, !vector.isEmpty else { return nil }
            vectors.append(vector)
        }
        return vectors
    }
}
