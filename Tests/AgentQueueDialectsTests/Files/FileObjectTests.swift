import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// Files in the words of both APIs.
@Suite struct FileObjectTests {
    private static let file = FileObject(
        id: 7, name: "in.jsonl", purpose: "batch", mediaType: nil, bytes: 120, createdAt: 1_795_330_000_500, expiresAt: nil)

    @Test func aFileReadsAsItsApiHasIt() throws {
        let expected =
            #"{"id":"file-aq7","object":"file","bytes":120,"created_at":1795330000,"expires_at":null,"filename":"in.jsonl","#
            + #""purpose":"batch","status":"processed","status_details":null}"#
        #expect(Self.file.json(.openAI).text == expected)
        let anthropic = Self.file.json(.anthropic)
        #expect(anthropic["id"] == "file_aq7" && anthropic["type"] == "file" && anthropic["size_bytes"] == 120)
        #expect(anthropic["mime_type"] == "application/octet-stream" && anthropic["created_at"]?.string?.hasPrefix("2026-11-") == true)
    }

    @Test func anIdIsReadInBothFormsAndNoOther() {
        #expect(FileObject.id("file-aq7") == 7 && FileObject.id("file_aq7") == 7)
        for other in ["file-aq07", "file-aq", "file-aq-7", "file-7", "7", "file-aq0", "file-aq+7"] { #expect(FileObject.id(other) == nil) }
    }

    @Test func aListSaysWhetherThereIsMore() {
        let page = FileObject.list([Self.file], hasMore: true, .openAI)
        #expect(page["has_more"] == true && page["last_id"] == "file-aq7")
        #expect(FileObject.list([Self.file], hasMore: true, .anthropic)["next_page"] == "file_aq7")
        let empty = FileObject.list([], hasMore: false, .anthropic)
        #expect(empty["next_page"] == .null && empty["last_id"] == .null && empty["has_more"] == false)
    }

    @Test func aFormNeedsAFileAndAPurpose() throws {
        var form = FileForm(.openAI)
        #expect(throws: RequestError.self) { try form.finish() }
        #expect(try form.begin(MultipartPart(name: "file", filename: "a")))
        #expect(throws: RequestError.self) { try form.begin(MultipartPart(name: "file", filename: "b")) }
        #expect(throws: RequestError.self) { try form.finish() }
        #expect(throws: RequestError.self) { try form.set("purpose", to: Array("vision".utf8)) }
        try form.set("purpose", to: Array("batch".utf8))
        try form.set("expires_after[seconds]", to: Array("3600".utf8))
        #expect(throws: RequestError.self) { try form.finish() }
        #expect(throws: RequestError.self) { try form.set("expires_after[seconds]", to: Array("3599".utf8)) }
        try form.set("expires_after[anchor]", to: Array("created_at".utf8))
        try form.finish()
        #expect(form.purpose == "batch" && form.lifetime == 3_600 && form.filename == "a")
    }

    @Test func anthropicsFormsNeedNoPurpose() throws {
        var form = FileForm(.anthropic)
        _ = try form.begin(MultipartPart(name: "file", filename: "a"))
        try form.finish()
        #expect(form.purpose == "user_data")
    }

    @Test func aLimitIsChecked() throws {
        #expect(try FileListQuery([("limit", "10000"), ("order", "asc"), ("x", "y")], .openAI).limit == 10_000)
        #expect(throws: RequestError.self) { try FileListQuery([("limit", "10001")], .openAI) }
        #expect(throws: RequestError.self) { try FileListQuery([("limit", "0")], .anthropic) }
        #expect(throws: RequestError.self) { try FileListQuery([("order", "up")], .openAI) }
    }
}
