import AgentQueueModel

/// A batch as clients of either API see it.
package struct BatchObject: Sendable {
    /// OpenAI's words for where a batch stands.
    package enum Status: String, Sendable {
        case validating
        case inProgress = "in_progress"
        case finalizing
        case completed
        case failed
        case expired
        case cancelling
        case cancelled

        package var isFinal: Bool {
            switch self {
            case .completed, .failed, .expired, .cancelled: true
            case .validating, .inProgress, .finalizing, .cancelling: false
            }
        }
    }

    /// How many requests have ended, and how.
    package struct Counts: Sendable, Equatable {
        package var total = 0
        package var succeeded = 0
        package var failed = 0
        package var cancelled = 0
        package var expired = 0

        package init(total: Int = 0, succeeded: Int = 0, failed: Int = 0, cancelled: Int = 0, expired: Int = 0) {
            (self.total, self.succeeded, self.failed) = (total, succeeded, failed)
            (self.cancelled, self.expired) = (cancelled, expired)
        }
    }

    package var id: String
    /// The form of its requests: Anthropic's batches have messages.
    package var form: RequestForm
    package var status: Status
    package var counts = Counts()
    /// The ids of its files.
    package var inputFile: Int64
    package var outputFile: Int64?
    package var errorFile: Int64?
    /// The time it has, as the client wrote it.
    package var window = "24h"
    package var metadata: JSONValue?
    package var errors: [JSONValue] = []
    package var model: String?
    package var usage: Usage?
    /// In milliseconds since 1970, as all that follow.
    package var createdAt: Int64
    package var expiresAt: Int64
    package var inProgressAt: Int64?
    package var finalizingAt: Int64?
    package var cancellingAt: Int64?
    package var endedAt: Int64?

    package init(id: String, form: RequestForm, status: Status, inputFile: Int64, createdAt: Int64, expiresAt: Int64) {
        (self.id, self.form, self.status, self.inputFile) = (id, form, status, inputFile)
        (self.createdAt, self.expiresAt) = (createdAt, expiresAt)
    }

    /// The object in the words of the API that the batch was made with.
    /// - Parameter resultsURL: where the results of Anthropic's batches are, once there are some.
    package func json(resultsURL: String? = nil) -> JSONValue { form == .messages ? anthropic(resultsURL) : openAI }

    private var openAI: JSONValue {
        func time(_ time: Int64?) -> JSONValue { time.map { .integer($0 / 1_000) } ?? .null }
        func ended(_ status: Status) -> JSONValue { time(self.status == status ? endedAt : nil) }
        func file(_ id: Int64?) -> JSONValue { id.map { .string(FileObject.text(of: $0, .openAI)) } ?? .null }
        // What did not come to an answer stands in the file of errors, whatever the reason.
        let failed = counts.failed + counts.cancelled + counts.expired
        return [
            "id": .string(id), "object": "batch", "endpoint": .string(BatchEndpoint(form: form)?.path ?? ""),
            "model": model.map { .string($0) } ?? .null,
            "errors": errors.isEmpty ? .null : ["object": "list", "data": .array(errors)], "input_file_id": file(inputFile),
            "completion_window": .string(window), "status": .string(status.rawValue), "output_file_id": file(outputFile),
            "error_file_id": file(errorFile), "created_at": time(createdAt), "in_progress_at": time(inProgressAt),
            "expires_at": time(expiresAt), "finalizing_at": time(finalizingAt), "completed_at": ended(.completed),
            "failed_at": ended(.failed), "expired_at": ended(.expired), "cancelling_at": time(cancellingAt),
            "cancelled_at": ended(.cancelled),
            "request_counts": [
                "total": .integer(Int64(counts.total)), "completed": .integer(Int64(counts.succeeded)), "failed": .integer(Int64(failed)),
            ],
            "usage": usage.map(Self.json) ?? .null, "metadata": metadata ?? .null,
        ]
    }

    private static func json(_ usage: Usage) -> JSONValue {
        [
            "input_tokens": .integer(Int64(usage.inputTokens)),
            "input_tokens_details": ["cached_tokens": .integer(Int64(usage.cacheReadTokens))],
            "output_tokens": .integer(Int64(usage.outputTokens)), "output_tokens_details": ["reasoning_tokens": 0],
            "total_tokens": .integer(Int64(usage.inputTokens + usage.outputTokens)),
        ]
    }

    private func anthropic(_ resultsURL: String?) -> JSONValue {
        func time(_ time: Int64?) -> JSONValue { time.map { .string(TimeText.format($0)) } ?? .null }
        let hasEnded = status.isFinal
        // Until the end all are in processing.
        func count(_ count: Int) -> JSONValue { .integer(Int64(hasEnded ? count : 0)) }
        let word = hasEnded ? "ended" : cancellingAt == nil ? "in_progress" : "canceling"
        return [
            "id": .string(id), "type": "message_batch", "processing_status": .string(word),
            "request_counts": [
                "processing": .integer(Int64(hasEnded ? 0 : counts.total)), "succeeded": count(counts.succeeded),
                "errored": count(counts.failed), "canceled": count(counts.cancelled), "expired": count(counts.expired),
            ],
            "created_at": time(createdAt), "expires_at": time(expiresAt), "ended_at": time(hasEnded ? endedAt : nil),
            "cancel_initiated_at": time(cancellingAt), "archived_at": .null,
            "results_url": hasEnded ? resultsURL.map { .string($0) } ?? .null : .null,
        ]
    }

    /// What is said of one of Anthropic's batches that was deleted.
    package static func deleted(_ id: String) -> JSONValue { ["id": .string(id), "type": "message_batch_deleted"] }

    /// A page of a list of objects.
    package static func list(_ batches: [JSONValue], hasMore: Bool, _ flavour: APIFlavour) -> JSONValue {
        let (first, last) = (batches.first?["id"] ?? .null, batches.last?["id"] ?? .null)
        let page: [JSONValue.Member] = [
            .init("data", .array(batches)), .init("first_id", first), .init("last_id", last), .init("has_more", .bool(hasMore)),
        ]
        return .object(flavour == .openAI ? [.init("object", "list")] + page : page)
    }
}

/// Which part of a list of batches a client asks for.
package struct BatchListQuery: Sendable, Equatable {
    package var limit = 20
    /// The id that the list goes on from.
    package var after: String?
    /// The id that the list goes back from.
    package var before: String?

    /// Reads the query's members.
    package init(_ query: [(name: String, value: String)], _ flavour: APIFlavour) throws(RequestError) {
        let limits = flavour == .openAI ? 1...100 : 1...1_000
        for (name, value) in query {
            switch (name, flavour) {
            case ("limit", _):
                guard let number = Int(value), limits.contains(number) else {
                    throw RequestError("limit must be a whole number from 1 to \(limits.upperBound).", param: "limit")
                }
                limit = number
            case ("after", .openAI), ("after_id", .anthropic): after = value
            case ("before_id", .anthropic): before = value
            default: break
            }
        }
    }
}
