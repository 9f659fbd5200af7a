import AgentQueueDialects
import AgentQueueModel
import Testing

@Suite struct ModelListTests {
    private let models = ["a", "b", "c", "d", "e"].map { ListedModel(id: "local/\($0)", created: 1_686_935_002, owner: "local") }

    @Test func aModelIsListedInBothDialects() {
        let model = ListedModel(id: "claude/sonnet", created: 1_782_777_600, owner: "claude", displayName: "Sonnet")
        #expect(
            model.json(.openAI).text == #"{"id":"claude/sonnet","object":"model","created":1782777600,"owned_by":"claude"}"#)
        #expect(
            model.json(.anthropic).text
                == #"{"type":"model","id":"claude/sonnet","display_name":"Sonnet","created_at":"2026-06-30T00:00:00Z","#
                + #""lifecycle":"active"}"#)
        #expect(ModelList.openAI([model])["object"] == "list")
    }

    @Test func pagesGoForwardsAndBack() throws {
        func ids(_ page: ModelPage) throws -> (ids: [String?], more: Bool?, last: String?) {
            let list = try ModelList.anthropic(models, page: page)
            return (list["data"]?.array?.map { $0["id"]?.string } ?? [], list["has_more"]?.bool, list["last_id"]?.string)
        }
        #expect(try ids(ModelPage(limit: 2)) == (["local/a", "local/b"], true, "local/b"))
        #expect(try ids(ModelPage(limit: 2, after: "local/c")) == (["local/d", "local/e"], false, "local/e"))
        #expect(try ids(ModelPage(limit: 2, before: "local/d")) == (["local/b", "local/c"], true, "local/c"))
        #expect(try ids(ModelPage(limit: 2, after: "local/e")) == ([], false, nil))
        #expect(throws: RequestError.self) { try ids(ModelPage(after: "local/z")) }
        #expect(throws: RequestError.self) { try ModelPage(query: [("limit", "0")]) }
        #expect(try ModelPage(query: [("limit", "7"), ("after_id", "x"), ("beta", "true")]) == ModelPage(limit: 7, after: "x"))
    }
}
