import AgentQueueModel
import AgentQueueSettings

/// Answers as CSV (RFC 4180).
package enum ResultsCSV {
    package static let header =
        "id,custom_id,state,kind,queue,model,batch,tags,created_at,finalized_at,finish_reason,input_tokens,output_tokens,cost_usd,"
        + "answered_by,target,latency_ms,text,error"

    package static func row(_ job: Job) -> String {
        let result = job.result
        let text = result.map { result in
            result.reply["text"]?.string ?? result.reply["embeddings"].map { JSONText.text($0) } ?? ""
        }
        let fields: [String?] = [
            "\(job.id)", job.customID, job.state.rawValue, job.kind.rawValue, job.queue, job.target.description, job.batch,
            job.tags.joined(separator: " "), TimeText.format(job.createdAt), job.finalizedAt.map(TimeText.format),
            result?.reply["finish_reason"]?.string, result.map { "\($0.usage.inputTokens)" }, result.map { "\($0.usage.outputTokens)" },
            result.map { Money.text($0.cost) }, result?.answeredBy.rawValue, result?.target, result.map { "\($0.latency)" }, text,
            result == nil ? job.errors.last?.message : nil,
        ]
        return fields.map { field($0 ?? "") }.joined(separator: ",")
    }

    /// Quoted if necessary. Line breaks are kept; other control characters are escaped, because people open these files in a terminal.
    private static func field(_ text: String) -> String {
        let shown = DisplayText.lines(text)
        guard shown.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) else {
            return shown
        }
        return "\"\(shown.replacing("\"", with: "\"\""))\""
    }
}
