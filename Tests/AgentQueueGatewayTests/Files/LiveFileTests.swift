import AgentQueue
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import NIOHTTP1
import Testing

@testable import AgentQueueGateway

/// Files over the wire.
@Suite struct LiveFileTests {
    private static func upload(_ content: String, purpose: String = "batch", _ headers: [(String, String)] = []) -> HTTPCall {
        let body =
            "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n\(purpose)\r\n--b\r\nContent-Disposition: form-data; "
            + "name=\"file\"; filename=\"../in.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n\(content)\r\n--b--\r\n"
        return HTTPCall(path: "/v1/files", headers: headers + [("content-type", "multipart/form-data; boundary=b")], body: body)
    }

    private static func get(_ path: String, _ headers: [(String, String)] = []) -> HTTPCall {
        HTTPCall(method: .GET, path: path, headers: headers)
    }

    @Test func aFileIsReadAsItWasSent() async throws {
        try await withGateway { gateway in
            let content = String(repeating: "0123456789abcde\n", count: 40_000)
            let made = try await Self.upload(content).answer(port: gateway.port)
            #expect(made.status == 200)
            let file = try made.json
            let id = try #require(file["id"]?.string)
            #expect(file["object"] == "file" && file["bytes"] == 640_000 && file["filename"] == "../in.jsonl")
            #expect(file["purpose"] == "batch" && file["status"] == "processed" && file["expires_at"] != .null)
            #expect(try await Self.get("/v1/files/\(id)").answer(port: gateway.port).json == file)
            let whole = try await Self.get("/v1/files/\(id)/content").answer(port: gateway.port)
            #expect(whole.status == 200 && whole.text == content && whole["content-length"] == "640000" && whole.isWhole)
            #expect(whole["content-type"] == "application/octet-stream" && whole["x-content-type-options"] == "nosniff")
            let part = try await Self.get("/v1/files/\(id)/content", [("range", "bytes=262140-262150")]).answer(port: gateway.port)
            #expect(part.status == 206 && part["content-range"] == "bytes 262140-262150/640000" && part.text == "cde\n0123456")
            let beyond = try await Self.get("/v1/files/\(id)/content", [("range", "bytes=640000-")]).answer(port: gateway.port)
            #expect(beyond.status == 416 && beyond["content-range"] == "bytes */640000")
            let deleted = try await HTTPCall(method: .DELETE, path: "/v1/files/\(id)").answer(port: gateway.port)
            #expect(try deleted.status == 200 && deleted.json["deleted"] == true)
            #expect(try await Self.get("/v1/files/\(id)").answer(port: gateway.port).status == 404)
        }
    }

    @Test func aListIsWalkedToItsEnd() async throws {
        try await withGateway { gateway in
            var ids: [String] = []
            for index in 0..<3 {
                let made = try await Self.upload("\(index)", purpose: index == 0 ? "user_data" : "batch").answer(port: gateway.port)
                ids.append(try #require(try made.json["id"]?.string))
            }
            let first = try await Self.get("/v1/files?limit=2").answer(port: gateway.port).json
            #expect(first["data"]?.array?.map { $0["id"]?.string } == [ids[2], ids[1]] && first["has_more"] == true)
            let rest = try await Self.get("/v1/files?limit=2&after=\(ids[1])").answer(port: gateway.port).json
            #expect(rest["data"]?.array?.map { $0["id"]?.string } == [ids[0]] && rest["has_more"] == false)
            let batches = try await Self.get("/v1/files?purpose=batch&order=asc").answer(port: gateway.port).json
            #expect(batches["data"]?.array?.map { $0["id"]?.string } == [ids[1], ids[2]])
            #expect(try await Self.get("/v1/files?purpose=vision").answer(port: gateway.port).json["data"] == [])
            #expect(try await Self.get("/v1/files?after=file-aq99").answer(port: gateway.port).status == 404)
            #expect(try await Self.get("/v1/files?limit=0").answer(port: gateway.port).status == 400)
            let anthropic = [("anthropic-version", "2023-06-01")]
            let page = try await Self.get("/v1/files?limit=2", anthropic).answer(port: gateway.port).json
            let next = try #require(page["next_page"]?.string)
            #expect(page["data"]?.array?.count == 2 && page["data"]?.array?.first?["type"] == "file")
            let end = try await Self.get("/v1/files?limit=2&page=\(next)", anthropic).answer(port: gateway.port).json
            #expect(end["data"]?.array?.count == 1 && end["next_page"] == .null)
            let back = try await Self.get("/v1/files?limit=1&before_id=\(ids[0])", anthropic).answer(port: gateway.port).json
            #expect(
                back["data"]?.array?.first?["id"]?.string?.hasSuffix(ids[1].dropFirst("file-".count)) == true && back["has_more"] == true)
        }
    }

    @Test func aFileIsItsKeysAlone() async throws {
        try await withGateway(GatewayPlan(asksForKeys: true)) { gateway in
            let mine = [("authorization", "Bearer \(try await gateway.key("mine", scopes: [.batch]))")]
            let other = [("x-api-key", try await gateway.key("other", scopes: [.batch]))]
            let caller = [("x-api-key", try await gateway.key("caller", scopes: [.call]))]
            let id = try #require(try await Self.upload("a", mine).answer(port: gateway.port).json["id"]?.string)
            #expect(try await Self.upload("a", caller).answer(port: gateway.port).status == 403)
            for path in ["/v1/files/\(id)", "/v1/files/\(id)/content"] {
                #expect(try await Self.get(path, mine).answer(port: gateway.port).status == 200)
                #expect(try await Self.get(path, other).answer(port: gateway.port).status == 404)
            }
            let deletion = HTTPCall(method: .DELETE, path: "/v1/files/\(id)", headers: other)
            #expect(try await deletion.answer(port: gateway.port).status == 404)
            #expect(try await Self.get("/v1/files", other).answer(port: gateway.port).json["data"] == [])
        }
    }

    @Test func whatIsRefusedLeavesNothing() async throws {
        try await withGateway { gateway in
            let large = String(repeating: "x", count: 300_000)
            var cut = Self.upload(large)
            cut.body.removeLast(6)
            for call in [Self.upload(large, purpose: "vision"), cut] {
                let answer = try await call.answer(port: gateway.port)
                #expect(answer.status == 400)
            }
            var none = Self.upload("")
            none.body = none.body.replacing("name=\"file\"", with: "name=\"other\"")
            #expect(try await none.answer(port: gateway.port).json["error"]?["param"] == "file")
            #expect(try gateway.queue.store.files.piece(0, of: 1) == nil)
            #expect(try await Self.get("/v1/files").answer(port: gateway.port).json["data"] == [])
            let empty = try await Self.upload("").answer(port: gateway.port)
            #expect(try empty.status == 200 && empty.json["bytes"] == 0)
        }
    }

    @Test func aRangeIsReadAsHTTPHasIt() {
        #expect(ByteRange(nil, length: 10) == .whole && ByteRange("items=1-2", length: 10) == .whole)
        #expect(ByteRange("bytes=0-0", length: 10) == .part(0..<1) && ByteRange("bytes=5-", length: 10) == .part(5..<10))
        #expect(ByteRange("bytes=-3", length: 10) == .part(7..<10) && ByteRange("bytes=-30", length: 10) == .part(0..<10))
        #expect(ByteRange("bytes=3-99999999999999999999", length: 10) == .part(3..<10))
        #expect(ByteRange("bytes=10-", length: 10) == .unsatisfiable && ByteRange("bytes=-0", length: 10) == .unsatisfiable)
        #expect(ByteRange("bytes=99999999999999999999-", length: 10) == .unsatisfiable)
        #expect(ByteRange("bytes=4-3", length: 10) == .whole && ByteRange("bytes=0-1,3-4", length: 10) == .whole)
        #expect(ByteRange("bytes=0-", length: 0) == .unsatisfiable && ByteRange("bytes=-", length: 10) == .whole)
    }
}
