import ArgumentParser

/// How `results` prints.
enum ResultsFormat: String, CaseIterable, ExpressibleByArgument {
    /// A job a line.
    case jsonl
    /// A header, then a job a row (RFC 4180).
    case csv
    /// The lines of OpenAI's batch output files.
    case openAIBatch = "openai-batch"
    /// The lines of Anthropic's batch results.
    case anthropicBatch = "anthropic-batch"
}
