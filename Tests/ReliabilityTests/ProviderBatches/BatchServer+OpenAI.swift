import AgentQueueModel
import AgentQueueTestSupport
import Foundation

extension BatchServer.State {
    mutating func openAI(_ call: BatchServerCall) -> ScriptedAnswer {
        switch call.step {
        case .upload: return upload(call)
        case .file: return files[call.id ?? ""].map { ScriptedAnswer(json: Self.json(call.id ?? "", $0).text) } ?? Self.noFile
        case .deleteFile: return deleteFile(call.id ?? "")
        case .results: return files[call.id ?? ""].map { ScriptedAnswer(body: $0.bytes) } ?? Self.noFile
        case .create: return createOpenAI(call)
        case .list:
            let page = page(.openAI, after: call.query["after"], limit: call.query["limit"].flatMap { Int($0) } ?? 20)
            let list: JSONValue = [
                "object": "list", "data": .array(page.batches.map(Self.json)),
                "first_id": page.batches.first.map { .string($0.id) } ?? .null,
                "last_id": page.batches.last.map { .string($0.id) } ?? .null, "has_more": .bool(page.hasMore),
            ]
            return ScriptedAnswer(json: list.text)
        case .poll, .cancel:
            guard let place = batches.firstIndex(where: { $0.id == call.id && $0.api == .openAI }) else {
                return .failing(404, "not_found", "no such batch")
            }
            if call.step == .poll {
                poll(place)
            } else if batches[place].hasEnded {
                return .failing(409, "invalid_request_error", "the batch has ended")
            } else {
                batches[place].isCancelling = true
            }
            return ScriptedAnswer(json: Self.json(batches[place]).text)
        case .deleteBatch: return .failing(404, "not_found", "batches stay")
        case .live: return liveOpenAI(call)
        }
    }

    // MARK: Files

    private static let noFile = ScriptedAnswer.failing(404, "not_found", "no such file")

    private mutating func upload(_ call: BatchServerCall) -> ScriptedAnswer {
        do throws(MultipartForm.Malformed) {
            let form = try MultipartForm(call.request.body, contentType: call.request["content-type"])
            guard form["purpose"]?.body == Array("batch".utf8), let file = form["file"], let name = file.filename else {
                throw MultipartForm.Malformed(reason: "purpose and file are needed, not \(form.parts.map(\.name))")
            }
            let id = nextID("file-")
            files[id] = (name, file.body)
            return ScriptedAnswer(json: Self.json(id, (name, file.body)).text)
        } catch {
            violations.append("upload: \(error.reason)")
            return .failing(400, "invalid_request_error", error.reason)
        }
    }

    private mutating func deleteFile(_ id: String) -> ScriptedAnswer {
        guard files.removeValue(forKey: id) != nil else { return Self.noFile }
        if batches.contains(where: { $0.inputFile == id && !$0.hasEnded }) {
            violations.append("the input of a batch that runs is deleted")
        }
        let deleted: JSONValue = ["id": .string(id), "object": "file", "deleted": true]
        return ScriptedAnswer(json: deleted.text)
    }

    private static func json(_ id: String, _ file: (name: String, bytes: [UInt8])) -> JSONValue {
        [
            "id": .string(id), "object": "file", "bytes": .integer(Int64(file.bytes.count)), "created_at": 1_795_330_000,
            "expires_at": .null,
            "filename": .string(file.name), "purpose": "batch", "status": "processed",
        ]
    }

    // MARK: Batches

    private mutating func createOpenAI(_ call: BatchServerCall) -> ScriptedAnswer {
        guard let body = call.body, let input = body["input_file_id"]?.string, let endpoint = body["endpoint"]?.string,
            body["completion_window"]?.string == "24h", let file = files[input]
        else {
            violations.append("create: \(call.request.text.prefix(200))")
            return .failing(400, "invalid_request_error", "input_file_id, endpoint and completion_window are needed")
        }
        var items: [ServedBatch.Item] = []
        for line in file.bytes.split(separator: UInt8(ascii: "\n")) {
            guard let line = try? JSONValue.parse(Array(line)), let id = line["custom_id"]?.string, line["method"] == "POST",
                line["url"]?.string == endpoint, let body = line["body"]
            else {
                violations.append("a line of the input: \(String(decoding: line, as: UTF8.self).prefix(200))")
                continue
            }
            items.append(ServedBatch.Item(customID: id, body: body))
        }
        if items.isEmpty { violations.append("an empty batch") }
        var batch = ServedBatch(
            api: .openAI, id: nextID("batch_"), items: items, plan: plan, createdAt: Int64(Date().timeIntervalSince1970))
        (batch.endpoint, batch.inputFile, batch.metadata) = (endpoint, input, body["metadata"] ?? .null)
        return ScriptedAnswer(json: Self.json(add(batch)).text)
    }

    private static func status(_ batch: ServedBatch) -> String {
        guard batch.hasEnded else { return batch.isCancelling ? "cancelling" : batch.polls == 0 ? "validating" : "in_progress" }
        if batch.isCancelling { return "cancelled" }
        return switch batch.plan.end {
        case .completed: "completed"
        case .expired: "expired"
        case .refused: "failed"
        }
    }

    private static func json(_ batch: ServedBatch) -> JSONValue {
        var errors = JSONValue.null
        if batch.hasEnded, !batch.isCancelling, case .refused(let message) = batch.plan.end {
            errors = [
                "object": "list", "data": [["code": "invalid_json_line", "message": .string(message), "param": .null, "line": 3]],
            ]
        }
        let done = batch.count { $0 == .answered }
        let failed = batch.hasEnded ? batch.items.count - done : 0
        let total = batch.polls == 0 || batch.isRefused ? 0 : batch.items.count
        func ended(_ status: String) -> JSONValue { Self.status(batch) == status ? .integer(batch.createdAt + 60) : .null }
        return [
            "id": .string(batch.id), "object": "batch", "endpoint": .string(batch.endpoint), "errors": errors,
            "input_file_id": .string(batch.inputFile), "completion_window": "24h", "status": .string(status(batch)),
            "output_file_id": batch.outputFile.map { .string($0) } ?? .null, "error_file_id": batch.errorFile.map { .string($0) } ?? .null,
            "created_at": .integer(batch.createdAt), "in_progress_at": .null, "expires_at": .integer(batch.createdAt + 86_400),
            "finalizing_at": .null, "completed_at": ended("completed"), "failed_at": ended("failed"), "expired_at": ended("expired"),
            "cancelling_at": .null, "cancelled_at": ended("cancelled"),
            "request_counts": ["total": .integer(Int64(total)), "completed": .integer(Int64(done)), "failed": .integer(Int64(failed))],
            "usage": .null, "metadata": batch.metadata,
        ]
    }

    /// The result files of a batch that has ended: what was answered in one, the rest in the other, in no order.
    mutating func writeFiles(_ place: Int) {
        let batch = batches[place]
        guard !batch.isRefused || batch.isCancelling else { return }
        let good = batch.items.filter { $0.fate == .answered }.map(Self.line)
        let bad = batch.items.filter { $0.fate != .answered }.map(Self.line)
        for (lines, path, name) in [(good, \ServedBatch.outputFile, "output"), (bad, \ServedBatch.errorFile, "error")] where !lines.isEmpty
        {
            let id = nextID("file-")
            files[id] = ("\(batch.id)_\(name).jsonl", Array(lines.shuffled().map { $0 + "\n" }.joined().utf8))
            batches[place][keyPath: path] = id
        }
    }

    private static func line(_ item: ServedBatch.Item) -> String {
        var response = JSONValue.null
        var error = JSONValue.null
        switch item.fate {
        case .answered: response = ["status_code": 200, "request_id": "req_1", "body": completion(of: item.prompt)]
        case .failed(let failure):
            let body: JSONValue = [
                "error": [
                    "message": .string(failure.message), "type": .string(failure.type), "param": .null, "code": .string(failure.type),
                ]
            ]
            response = ["status_code": .integer(Int64(failure.status)), "request_id": "req_2", "body": body]
        case .expired, nil:
            error = [
                "code": "batch_expired", "message": "This request could not be executed before the completion window expired.",
            ]
        case .cancelled: error = ["code": "batch_cancelled", "message": "This request was not executed, for its batch was cancelled."]
        }
        let line: JSONValue = [
            "id": .string("batch_req_\(item.customID)"), "custom_id": .string(item.customID), "response": response, "error": error,
        ]
        return line.text
    }

    // MARK: Live

    static func completion(of prompt: String) -> JSONValue {
        [
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_330_000, "model": "m",
            "choices": [
                [
                    "index": 0, "message": ["role": "assistant", "content": .string(ServedBatch.answer(to: prompt)), "refusal": .null],
                    "logprobs": .null, "finish_reason": "stop",
                ]
            ],
            "usage": ["prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5],
        ]
    }

    private mutating func liveOpenAI(_ call: BatchServerCall) -> ScriptedAnswer {
        guard call.path == ["v1", "chat", "completions"], let body = call.body else {
            return .failing(404, "not_found", "there is no \(call.request.path)")
        }
        let prompt = ServedBatch.prompt(of: body)
        liveCharges[prompt, default: 0] += 1
        return ScriptedAnswer(json: Self.completion(of: prompt).text)
    }
}
