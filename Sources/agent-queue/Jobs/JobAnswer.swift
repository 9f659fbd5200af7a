import JobModel

/// A job's answer as text.
enum JobAnswer {
    /// The text, or one line of JSON for each vector.
    static func lines(_ job: Job) -> [String] {
        guard let reply = job.result?.reply else { return [] }
        if let text = reply["text"]?.string { return [DisplayText.lines(text)] }
        if let vectors = reply["embeddings"]?.array { return vectors.map { JSONText.text($0) } }
        return [JSONText.text(reply)]
    }
}
