import AgentQueueModel
import AgentQueueTestSupport
import Foundation

extension BatchServer.State {
    mutating func anthropic(_ call: BatchServerCall) -> ScriptedAnswer {
        if call.request["anthropic-version"] == nil { violations.append("\(call.step) without anthropic-version") }
        switch call.step {
        case .create: return createAnthropic(call)
        case .list:
            let page = page(.anthropic, after: call.query["after_id"], limit: call.query["limit"].flatMap { Int($0) } ?? 20)
            let list: JSONValue = [
                "data": .array(page.batches.map { Self.json($0, call.origin) }), "has_more": .bool(page.hasMore),
                "first_id": page.batches.first.map { .string($0.id) } ?? .null,
                "last_id": page.batches.last.map { .string($0.id) } ?? .null,
            ]
            return ScriptedAnswer(json: list.text)
        case .live: return liveAnthropic(call)
        case .upload, .file, .deleteFile: return call.refusal(404, "not_found_error", "there is no \(call.request.path)")
        case .poll, .cancel, .results, .deleteBatch: break
        }
        guard let place = batches.firstIndex(where: { $0.id == call.id && $0.api == .anthropic }) else {
            return call.refusal(404, "not_found_error", "no such batch")
        }
        switch call.step {
        case .cancel:
            guard !batches[place].hasEnded else { return call.refusal(400, "invalid_request_error", "the batch has ended") }
            batches[place].isCancelling = true
        case .results:
            guard batches[place].hasEnded else { return call.refusal(404, "not_found_error", "the batch has not ended") }
            let lines = batches[place].items.map(Self.line).shuffled()
            return ScriptedAnswer(
                headers: [("content-type", "application/x-jsonl")], body: Array(lines.map { $0 + "\n" }.joined().utf8), chunked: true)
        case .deleteBatch:
            guard batches[place].hasEnded else { return call.refusal(400, "invalid_request_error", "the batch has not ended") }
            let id = batches.remove(at: place).id
            let deleted: JSONValue = ["id": .string(id), "type": "message_batch_deleted"]
            return ScriptedAnswer(json: deleted.text)
        default: poll(place)
        }
        return ScriptedAnswer(json: Self.json(batches[place], call.origin).text)
    }

    private mutating func createAnthropic(_ call: BatchServerCall) -> ScriptedAnswer {
        let requests = call.body?["requests"]?.array ?? []
        var items: [ServedBatch.Item] = []
        for request in requests {
            guard let id = request["custom_id"]?.string, let params = request["params"], params["model"]?.string != nil,
                params["max_tokens"]?.int != nil, params["messages"]?.array?.isEmpty == false
            else {
                violations.append("a request of a batch: \(request.text.prefix(200))")
                continue
            }
            items.append(ServedBatch.Item(customID: id, body: params))
        }
        if items.isEmpty {
            violations.append("an empty batch")
            return call.refusal(400, "invalid_request_error", "requests: none")
        }
        let next = plans.first ?? plan
        if case .refused(let message) = next.end {
            if !plans.isEmpty { plans.removeFirst() }
            return call.refusal(400, "invalid_request_error", message)
        }
        let batch = ServedBatch(
            api: .anthropic, id: nextID("msgbatch_"), items: items, plan: plan, createdAt: Int64(Date().timeIntervalSince1970))
        return ScriptedAnswer(json: Self.json(add(batch), call.origin).text)
    }

    private static func json(_ batch: ServedBatch, _ origin: String) -> JSONValue {
        // Counts stay at 0, but for `processing`, until all of it has ended.
        func count(_ isCounted: (ServedBatch.Fate) -> Bool) -> JSONValue { .integer(Int64(batch.hasEnded ? batch.count(isCounted) : 0)) }
        func time(_ offset: Int64) -> JSONValue {
            .string(Date(timeIntervalSince1970: TimeInterval(batch.createdAt + offset)).formatted(.iso8601))
        }
        let failed = count { if case .failed = $0 { true } else { false } }
        return [
            "id": .string(batch.id), "type": "message_batch",
            "processing_status": .string(batch.hasEnded ? "ended" : batch.isCancelling ? "canceling" : "in_progress"),
            "request_counts": [
                "processing": .integer(Int64(batch.hasEnded ? 0 : batch.items.count)), "succeeded": count { $0 == .answered },
                "errored": failed, "canceled": count { $0 == .cancelled }, "expired": count { $0 == .expired },
            ],
            "created_at": time(0), "expires_at": time(86_400), "ended_at": batch.hasEnded ? time(60) : .null,
            "cancel_initiated_at": batch.isCancelling ? time(30) : .null, "archived_at": .null,
            "results_url": batch.hasEnded ? .string("\(origin)/v1/messages/batches/\(batch.id)/results") : .null,
        ]
    }

    private static func line(_ item: ServedBatch.Item) -> String {
        let result: JSONValue =
            switch item.fate {
            case .answered: ["type": "succeeded", "message": message(to: item.prompt)]
            case .failed(let failure):
                [
                    "type": "errored",
                    "error": [
                        "type": "error", "error": ["type": .string(failure.type), "message": .string(failure.message)], "request_id": .null,
                    ],
                ]
            case .cancelled: ["type": "canceled"]
            case .expired, nil: ["type": "expired"]
            }
        let line: JSONValue = ["custom_id": .string(item.customID), "result": result]
        return line.text
    }

    private static func message(to prompt: String) -> JSONValue {
        [
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [["type": "text", "text": .string(ServedBatch.answer(to: prompt))]], "stop_reason": "end_turn",
            "stop_sequence": .null, "usage": ["input_tokens": 3, "output_tokens": 2],
        ]
    }

    private mutating func liveAnthropic(_ call: BatchServerCall) -> ScriptedAnswer {
        guard call.path == ["v1", "messages"], let body = call.body else {
            return call.refusal(404, "not_found_error", "there is no \(call.request.path)")
        }
        let prompt = ServedBatch.prompt(of: body)
        liveCharges[prompt, default: 0] += 1
        guard body["stream"] == true else { return ScriptedAnswer(json: Self.message(to: prompt).text) }
        let text = JSONValue.string(ServedBatch.answer(to: prompt)).text
        let events = [
            #"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"#
                + #""stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}"#,
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":\#(text)}}"#,
            #"{"type":"content_block_stop","index":0}"#,
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}"#,
            #"{"type":"message_stop"}"#,
        ].map { "event: \($0.split(separator: "\"")[3])\ndata: \($0)\n\n" }
        return ScriptedAnswer(stream: events.joined())
    }
}
