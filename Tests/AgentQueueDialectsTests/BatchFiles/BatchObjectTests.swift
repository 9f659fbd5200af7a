import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// Batches and their results in the words of both APIs.
@Suite struct BatchObjectTests {
    private static func batch(_ form: RequestForm, _ status: BatchObject.Status) -> BatchObject {
        BatchObject(
            id: form == .messages ? "msgbatch_1" : "batch_1", form: form, status: status, inputFile: 7, createdAt: 1_795_330_000_500,
            expiresAt: 1_795_416_400_500)
    }

    @Test func aNewBatchReadsAsOpenAIHasIt() {
        let expected =
            #"{"id":"batch_1","object":"batch","endpoint":"/v1/chat/completions","model":null,"errors":null,"input_file_id":"file-aq7","#
            + #""completion_window":"24h","status":"validating","output_file_id":null,"error_file_id":null,"created_at":1795330000,"#
            + #""in_progress_at":null,"expires_at":1795416400,"finalizing_at":null,"completed_at":null,"failed_at":null,"#
            + #""expired_at":null,"cancelling_at":null,"cancelled_at":null,"request_counts":{"total":0,"completed":0,"failed":0},"#
            + #""usage":null,"metadata":null}"#
        #expect(Self.batch(.chat, .validating).json().text == expected)
    }

    @Test func anEndedBatchTellsWhenAndHowMany() {
        var batch = Self.batch(.responses, .expired)
        batch.endedAt = 1_795_330_900_000
        batch.counts = BatchObject.Counts(total: 10, succeeded: 4, failed: 3, cancelled: 1, expired: 2)
        batch.usage = Usage(inputTokens: 5, outputTokens: 2)
        batch.outputFile = 8
        let json = batch.json()
        #expect(json["expired_at"] == 1_795_330_900 && json["completed_at"] == .null && json["output_file_id"] == "file-aq8")
        #expect(json["request_counts"] == ["total": 10, "completed": 4, "failed": 6] && json["usage"]?["total_tokens"] == 7)
        #expect(json["endpoint"] == "/v1/responses")
    }

    @Test func aNewBatchReadsAsAnthropicHasIt() {
        var batch = Self.batch(.messages, .inProgress)
        batch.counts = BatchObject.Counts(total: 2, succeeded: 1)
        let expected =
            #"{"id":"msgbatch_1","type":"message_batch","processing_status":"in_progress","request_counts":{"processing":2,"#
            + #""succeeded":0,"errored":0,"canceled":0,"expired":0},"created_at":"2026-11-22T07:26:40.500Z","#
            + #""expires_at":"2026-11-23T07:26:40.500Z","ended_at":null,"cancel_initiated_at":null,"archived_at":null,"results_url":null}"#
        #expect(batch.json(resultsURL: "http://h/r").text.count == expected.count)
        batch.cancellingAt = 1_795_330_000_600
        #expect(batch.json()["processing_status"] == "canceling")
        batch.status = .cancelled
        batch.endedAt = 1_795_330_000_700
        batch.counts = BatchObject.Counts(total: 4, succeeded: 1, failed: 1, cancelled: 1, expired: 1)
        let ended = batch.json(resultsURL: "http://h/r")
        #expect(ended["processing_status"] == "ended" && ended["results_url"] == "http://h/r" && ended["ended_at"] != .null)
        #expect(ended["request_counts"] == ["processing": 0, "succeeded": 1, "errored": 1, "canceled": 1, "expired": 1])
    }

    @Test func aPageTellsWhereItEndsAndWhetherThereIsMore() {
        let page = BatchObject.list([["id": "batch_2"], ["id": "batch_1"]], hasMore: true, .openAI)
        #expect(
            page.text
                == #"{"object":"list","data":[{"id":"batch_2"},{"id":"batch_1"}],"first_id":"batch_2","last_id":"batch_1","has_more":true}"#
        )
        #expect(BatchObject.list([], hasMore: false, .anthropic).text == #"{"data":[],"first_id":null,"last_id":null,"has_more":false}"#)
    }

    @Test func aPageIsAskedForInBothForms() throws {
        #expect(try BatchListQuery([("limit", "100"), ("after", "a"), ("x", "y")], .openAI).after == "a")
        #expect(try BatchListQuery([("limit", "1000"), ("before_id", "b")], .anthropic).before == "b")
        #expect(try BatchListQuery([], .openAI).limit == 20)
        for limit in ["0", "101", "x"] { #expect(throws: RequestError.self) { try BatchListQuery([("limit", limit)], .openAI) } }
    }

    // MARK: Making one

    private static func creation(_ members: String) throws -> BatchCreation {
        try BatchCreation(Array(#"{"input_file_id":"file-aq1","endpoint":"/v1/embeddings","completion_window":"24h"\#(members)}"#.utf8))
    }

    @Test func aBatchIsAskedForAsOpenAIHasIt() throws {
        let plain = try Self.creation("")
        #expect(plain.inputFile == "file-aq1" && plain.form == .embeddings && plain.window == "24h" && plain.duration == 86_400_000)
        let full = try Self.creation(#","metadata":{"a":"b"},"output_expires_after":{"anchor":"created_at","seconds":86400}"#)
        #expect(full.metadata == ["a": "b"] && full.outputLifetime == 86_400_000)
    }

    @Test(arguments: [
        #"{"endpoint":"/v1/embeddings","completion_window":"24h"}"#, "[]", "{",
        #"{"input_file_id":"f","endpoint":"/v1/completions","completion_window":"24h"}"#,
        #"{"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":"8d"}"#,
        #"{"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":"24h","metadata":{"a":1}}"#,
        #"{"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":"24h","output_expires_after":{"seconds":86400}}"#,
    ])
    func whatCannotBeABatchIsRefused(body: String) {
        #expect(throws: RequestError.self) { try BatchCreation(Array(body.utf8)) }
    }

    // MARK: Results

    private static func line(_ outcome: BatchLineOutcome, _ flavour: APIFlavour) -> String {
        let line = BatchResultLine(customID: "job-1", id: "batch_req_1", requestID: "req_1", outcome: outcome, flavour: flavour)
        return String(decoding: line.bytes, as: UTF8.self)
    }

    @Test func resultsReadAsOpenAIHasThem() {
        let answer = Self.line(.succeeded(body: Array("{\n \"a\": 1.0\r\n}".utf8)), .openAI)
        let expected =
            #"{"id":"batch_req_1","custom_id":"job-1","response":{"status_code":200,"request_id":"req_1","body":{  "a": 1.0  }},"error":null}"#
        #expect(answer == expected + "\n")
        let error = Self.line(.errored(GatewayError(.modelNotFound, "No.")), .openAI)
        #expect(error.contains(#""response":{"status_code":404,"request_id":"req_1","body":{"error":{"message":"No.""#))
        let expired = Self.line(.expired, .openAI)
        #expect(expired.hasPrefix(#"{"id":"batch_req_1","custom_id":"job-1","response":null,"error":{"code":"batch_expired","message":"#))
        #expect(Self.line(.cancelled, .openAI).contains("batch_cancelled"))
        for text in [answer, error, expired] { #expect(throws: Never.self) { try JSONValue.parse(text) } }
    }

    @Test func resultsReadAsAnthropicHasThem() {
        #expect(
            Self.line(.succeeded(body: Array(#"{"a":1}"#.utf8)), .anthropic)
                == #"{"custom_id":"job-1","result":{"type":"succeeded","message":{"a":1}}}"# + "\n")
        let error = Self.line(.errored(GatewayError(.malformed, "No.")), .anthropic)
        #expect(
            error == #"{"custom_id":"job-1","result":{"type":"errored","error":{"type":"error","error":{"type":"invalid_request_error","#
                + #""message":"No."},"request_id":"req_1"}}}"# + "\n")
        #expect(Self.line(.cancelled, .anthropic) == #"{"custom_id":"job-1","result":{"type":"canceled"}}"# + "\n")
        #expect(Self.line(.expired, .anthropic) == #"{"custom_id":"job-1","result":{"type":"expired"}}"# + "\n")
    }

    @Test func onlyAnswersAreNoErrors() {
        func isError(_ outcome: BatchLineOutcome) -> Bool {
            BatchResultLine(customID: "a", id: "b", requestID: "c", outcome: outcome, flavour: .openAI).isError
        }
        #expect(!isError(.succeeded(body: [])) && isError(.cancelled) && isError(.expired))
        #expect(isError(.errored(GatewayError(.upstream, "No."))))
    }
}
