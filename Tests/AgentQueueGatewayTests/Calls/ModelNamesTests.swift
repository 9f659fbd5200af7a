import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import Testing

@testable import AgentQueueGateway

private struct Echo: ModelProvider {
    let name = "echo"
    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] { requests.map { _ in .reply(ModelReply("")) } }
}

@Suite struct ModelNamesTests {
    private func names(
        _ aliases: [(String, String)] = [], models: [String] = [], listed: [String: [String]] = [:]
    ) throws -> ModelNames {
        var settings = Settings(database: "queue.db")
        settings.serve.models = try aliases.map { ModelAlias(pattern: try NamePattern($0.0), target: $0.1) }
        for model in models { settings.models[model] = ModelSettings() }
        return ModelNames(settings, own: [Echo()], listed: { listed })
    }

    @Test func anAliasComesFirst() throws {
        let names = try names([("gpt-4o", "local/smollm2"), ("claude-*", "claude-code/sonnet")], models: ["openai/gpt-4o"])
        #expect(try names.target(of: "gpt-4o", form: .chat).description == "local/smollm2")
        #expect(try names.target(of: "claude-opus-4", form: .messages).description == "claude-code/sonnet")
    }

    @Test func aTargetIsTakenAsItIs() throws {
        #expect(try names().target(of: "openai/gpt-9/x", form: .messages).description == "openai/gpt-9/x")
        #expect(try names().target(of: "echo/any", form: .chat).provider == "echo")
    }

    @Test func aBareNameIsThatOfTheProviderOfItsForm() throws {
        let names = try names(listed: ["anthropic": ["claude-x"], "openai": ["claude-x", "gpt-x"], "local": ["gpt-x"]])
        #expect(try names.target(of: "claude-x", form: .messages).provider == "anthropic")
        #expect(try names.target(of: "claude-x", form: .chat).provider == "openai")
        #expect(try names.target(of: "smollm2", form: .messages).description == "local/smollm2")
        #expect {
            try names.target(of: "gpt-x", form: .chat)
        } throws: {
            ($0 as? RequestError)?.message.contains("local/gpt-x or openai/gpt-x") == true
        }
    }

    @Test func aProviderIsAskedInAFormThatItSpeaks() throws {
        let names = try names()
        #expect(names.form(of: "openai", for: .responses) == .responses)
        #expect(names.form(of: "local", for: .responses) == .chat)
        #expect(names.form(of: "anthropic", for: .chat) == .messages)
        #expect(names.form(of: "claude-code", for: .messages) == nil)
    }

    @Test(arguments: [("smolm2", "did you mean 'smollm2'?"), ("local/smolm2", "GET /v1/models"), ("nothing-like-it", "GET /v1/models")])
    func anUnknownNameIsAnsweredWithANearOne(name: String, help: String) throws {
        // A provider that is known takes any model: only the provider knows its models.
        guard name != "local/smolm2" else { return #expect(try names().target(of: name, form: .chat).model == "smolm2") }
        #expect {
            try names().target(of: name, form: .chat)
        } throws: { error in
            let error = error as? RequestError
            return error?.status == 404 && error?.code == "model_not_found" && error?.message.contains(help) == true
        }
    }
}
