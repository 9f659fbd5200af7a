import AgentQueueDialects
import AgentQueueModel
import Testing

/// What a target cannot be asked for.
@Suite struct UnsupportedTests {
    static func messages(_ more: String) -> String { #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]\#(more)}"# }
    static func chat(_ more: String) -> String { #"{"model":"m","messages":[{"role":"user","content":"x"}]\#(more)}"# }
    static func response(_ more: String) -> String { #"{"model":"m","input":"x"\#(more)}"# }

    @Test(arguments: [
        (RequestForm.chat, chat(#","seed":1"#), RequestForm.messages, "seed"),
        (.chat, chat(#","logit_bias":{"1":2}"#), .messages, "logit_bias"),
        (.messages, messages(#","container":"c1""#), .chat, "container"),
        (.messages, messages(#","mcp_servers":[{"type":"url"}]"#), .chat, "mcp_servers"),
        (.responses, response(#","conversation":"c1""#), .chat, "conversation"),
        (.responses, response(#","tools":[{"type":"web_search"}]"#), .chat, "tools[0]"),
        (.responses, response(#","seed":1"#), .messages, "seed"),
        (.chat, chat(#","stop":"x""#), .responses, "stop"),
        (.messages, messages(#","top_k":4,"stop_sequences":["x"]"#), .responses, "stop_sequences"),
        (.chat, chat(#","recall":{"limit":3}"#), .messages, "recall"),
        // A chat's names, beside the form's own for the same.
        (.responses, response(#","messages":[]"#), .chat, "messages"),
        (.responses, response(#","max_output_tokens":1,"max_completion_tokens":2"#), .chat, "max_completion_tokens"),
        (.messages, messages(#","stop_sequences":["x"],"stop":"y""#), .chat, "stop"),
    ]) func itIsRefusedByNameOrLeftOut(form: RequestForm, text: String, target: RequestForm, param: String) throws {
        let fault = ClientRequestTests.fault(form, text, for: target)
        #expect(fault?.status == 400 && fault?.code == "unsupported_parameter")
        #expect(fault?.param == param)
        let request = try ClientRequestTests.request(form, text, for: target, .drop)
        #expect(request.dropped == [param] && !request.isCanonical)
        #expect(request.native.body.contains(param.prefix { $0 != "[" }))
        // The vendor itself is asked for it.
        let own = try ClientRequestTests.request(form, text, for: form)
        #expect(own.dropped.isEmpty)
        #expect(own.canonical["recall"] == nil)
        for request in [request, own] {
            let keys = request.canonical.members?.map(\.key) ?? []
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test func contentIsRefusedEvenWhereMembersAreLeftOut() {
        let text = #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"container_upload","file_id":"f"}]}]}"#
        #expect(ClientRequestTests.fault(.messages, text, for: .chat, .drop)?.param == "messages")
        let item = #"{"model":"m","input":[{"type":"item_reference","id":"i"}]}"#
        #expect(ClientRequestTests.fault(.responses, item, for: .chat, .drop)?.param == "input[0]")
    }

    @Test func hintsOfClientsAreAlwaysLeftOut() throws {
        let text = Self.messages(
            #","thinking":{"type":"adaptive"},"context_management":{"edits":[]},"output_config":{"effort":"high"},"cache_control":{"type":"ephemeral"}"#
        )
        let request = try ClientRequestTests.request(.messages, text)
        #expect(request.dropped == ["thinking", "context_management", "output_config.effort", "cache_control"])
        #expect(request.canonical["thinking"] == nil && request.canonical["output_config"] == nil && !request.isCanonical)
        let own = try ClientRequestTests.request(.messages, text, for: .messages)
        #expect(own.dropped.isEmpty && own.native.body == text && !own.native.isRequired)
    }

    @Test func whatOnlyTheVendorKnowsMayOnlyGoToTheVendor() throws {
        let container = try ClientRequestTests.request(.messages, Self.messages(#","container":"c1""#), for: .messages)
        #expect(container.native.isRequired)
        let search = try ClientRequestTests.request(.responses, Self.response(#","tools":[{"type":"web_search"}]"#), for: .responses)
        #expect(search.native.isRequired && !search.isCanonical)
        #expect(try !ClientRequestTests.request(.chat, Self.chat(#","seed":1"#), for: .chat).native.isRequired)
    }

    @Test func ofTheToolsOnlyThoseThatTheVendorRunsAreLeftOut() throws {
        let text = Self.messages(
            #","tools":[{"type":"web_search_20250305","name":"web_search"},{"name":"f","input_schema":{"type":"object"}}]"#)
        #expect(ClientRequestTests.fault(.messages, text, for: .chat)?.param == "tools")
        let request = try ClientRequestTests.request(.messages, text, for: .chat, .drop)
        #expect(request.dropped == ["tools[0]"])
        #expect(request.canonical["tools"]?.array?.compactMap { $0["name"]?.string } == ["f"])
    }

    @Test func whatChangesNoAnswerIsNoReasonToRefuse() throws {
        let text = Self.chat(#","metadata":{"a":"b"},"store":true,"service_tier":"flex","user":"u""#)
        let request = try ClientRequestTests.request(.chat, text, for: .messages)
        #expect(request.dropped.isEmpty && request.isCanonical && request.metadata == ["a": "b"] && request.serviceTier == "flex")
        #expect(request.canonical.members?.map(\.key) == ["messages", "user"])
        let own = try ClientRequestTests.request(.messages, Self.messages(#","metadata":{"user_id":"u"}"#), for: .chat)
        #expect(own.isCanonical && own.canonical["metadata"] == nil && own.metadata == ["user_id": "u"])
    }

    @Test func embeddingsGoToProvidersThatHaveThem() {
        #expect(ClientRequestTests.fault(.embeddings, #"{"model":"m","input":"x"}"#, for: .messages)?.param == "model")
        #expect(ClientRequestTests.fault(.embeddings, #"{"model":"m","input":"x"}"#) == nil)
    }

    @Test func betasAreARequestOfTheirOwn() throws {
        #expect(try !ClientRequestTests.request(.messages, Self.messages(""), for: .messages, betas: ["context-1m"]).isCanonical)
        #expect(try ClientRequestTests.request(.messages, Self.messages(""), for: .messages).isCanonical)
    }
}
