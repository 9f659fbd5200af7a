import JobModel
import ModelCalls

/// A batch as an OpenAI-compatible server describes it (protocols.md 3.6).
struct OpenAIBatch: Sendable {
    /// The member of a batch's metadata that holds its label.
    static let labelKey = "agent_queue"

    /// The same in our words.
    let remote: RemoteBatch
    /// The label that it was made with; nil where it bears none.
    let label: String?
    /// Whether it bears anything that who made it gave it: a server may keep nothing of that.
    let hasMetadata: Bool
    /// The name of its input file.
    let inputFile: String?

    /// Reads a description; nil where it is none.
    /// - Parameters:
    ///   - url: the provider's base URL, for a refusal's sentence.
    ///   - now: wall clock, ms.
    init?(_ body: JSONValue, url: String, redaction: Redaction, now: Int64) {
        guard let id = RemoteID.read(body["id"]), let status = body["status"]?.string else { return nil }
        label = body["metadata"]?[Self.labelKey]?.string
        hasMetadata = body["metadata"]?.members?.isEmpty == false
        inputFile = RemoteID.read(body["input_file_id"])
        let counts = body["request_counts"]
        let output = RemoteID.read(body["output_file_id"])
        let sources = [output, RemoteID.read(body["error_file_id"])].compactMap(\.self)
        let expiresAt = Self.time(body["expires_at"])
        let isAnswered = (counts?["completed"]?.int ?? 0) > 0
        let standing: RemoteBatch.Status
        switch status {
        // What it answered is told to be there, and is not yet: to read its results now would be to lose them.
        case "completed" where isAnswered && output == nil && now < expiresAt ?? 0: standing = .inProgress
        case "completed", "expired", "cancelled", "canceled": standing = .ended
        // Of one that failed half way, what it answered was charged for.
        case "failed" where isAnswered || !sources.isEmpty: standing = .ended
        case "failed": standing = .refused(Self.refusal(body["errors"], url: url, redaction))
        default: standing = .inProgress
        }
        let total = counts?["total"]?.int ?? 0
        remote = RemoteBatch(
            id: id, status: standing, count: total > 0 ? total : nil, createdAt: Self.time(body["created_at"]) ?? now, expiresAt: expiresAt,
            sources: sources)
    }

    /// Seconds since 1970, as ms.
    private static func time(_ value: JSONValue?) -> Int64? {
        value?.int.flatMap { (1..<253_402_300_800).contains($0) ? Int64($0) * 1_000 : nil }
    }

    /// The most errors that a sentence tells of.
    private static let maxErrors = 3

    /// Why a batch was refused as a whole. What is said of a line may quote it, and is left out.
    private static func refusal(_ errors: JSONValue?, url: String, _ redaction: Redaction) -> String {
        let list = errors?["data"]?.array ?? errors?.array ?? []
        let clauses = list.prefix(maxErrors).map { error in
            let line = error["line"]?.int
            let code = BatchRules.code(error["code"]?.string)
            let param = BatchRules.code(error["param"]?.string)
            let words = line == nil ? error["message"]?.string.map { redaction.clean($0) } : nil
            let about = [code, param.map { "'\($0)'" }, words].compactMap { $0?.isEmpty == false ? $0 : nil }.joined(separator: ": ")
            return [line.map { "line \($0)" }, about.isEmpty ? nil : about].compactMap(\.self).joined(separator: ": ")
        }
        let said = clauses.filter { !$0.isEmpty }.joined(separator: "; ")
        let more = list.count > maxErrors ? " (and \(list.count - maxErrors) more)" : ""
        return Redaction.line("\(url) refused the batch: \(said.isEmpty ? "it does not say why" : said + more)")
    }
}
