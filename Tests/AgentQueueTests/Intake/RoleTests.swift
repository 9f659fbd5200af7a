import AgentQueueModel
import AgentQueueSettings
import Testing

@testable import AgentQueue

/// `role`: what a role of the configuration says where a job does not.
@Suite struct RoleTests {
    private static let world: IntakeContext = {
        var coder = RoleSettings()
        (coder.system, coder.model, coder.temperature, coder.maxTokens) = ("You write Swift.", "openai/coder", 0.5, 100)
        coder.parameters = [.init("top_p", 0.9), .init("seed", 7)]
        var template = RoleSettings()
        template.system = "You write {{inputs.language}}."
        var model = RoleSettings()
        model.model = "local/{{inputs.size}}"
        var form = RoleSettings()
        form.parameters = [.init("response_format", ["type": "json_object"])]
        var world = context()
        world.roles = ["coder": coder, "template": template, "model": model, "form": form]
        return world
    }()

    private static func job(_ line: String, _ defaults: JobDraft = JobDraft()) throws -> NewJob {
        try outcome(line, defaults, world).get()
    }

    private static func refusal(_ line: String) -> String? {
        if case .failure(let error) = outcome(line, JobDraft(), world) { error.message } else { nil }
    }

    @Test func aRoleSaysWhatTheJobDoesNot() throws {
        let job = try Self.job(#"{"prompt":"x","role":"coder"}"#)
        #expect(job.target.description == "openai/coder")
        #expect(
            job.body
                == #"{"max_tokens":100,"messages":[{"role":"system","content":"You write Swift."},{"role":"user","content":"x"}],"#
                + #""seed":7,"temperature":0.5,"top_p":0.9}"#)
    }

    @Test func whatTheJobSaysHolds() throws {
        let line =
            #"{"prompt":"x","role":"coder","system":"","model":"local/m","temperature":0,"max_completion_tokens":9,"top_p":0.1}"#
        let job = try Self.job(line)
        #expect(job.target.description == "local/m")
        #expect(
            job.body
                == #"{"max_completion_tokens":9,"messages":[{"role":"user","content":"x"}],"seed":7,"temperature":0,"top_p":0.1}"#)
        let conversation = #"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}],"role":"coder"}"#
        #expect(try Self.job(conversation).body.contains(#""messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}]"#))
        let schema = #"{"prompt":"x","role":"form","schema":{"type":"object"}}"#
        #expect(try Self.job(schema).body.contains("json_schema"))
    }

    @Test func theCommandsRoleIsForTheLinesThatCanHaveOne() throws {
        var defaults = JobDraft()
        defaults.role = "coder"
        #expect(try Self.job(#"{"prompt":"x"}"#, defaults).target.description == "openai/coder")
        #expect(try Self.job(#"{"kind":"embed","input":"x"}"#, defaults).target.description == "local-embeddings/e5")
        #expect(try Self.job(#"{"kind":"memorize","text":"x"}"#, defaults).kind == .memorize)
        #expect(
            try Self.job(#"{"custom_id":"a","params":{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}}"#, defaults)
                .body.contains("You write Swift."))
    }

    @Test(arguments: [
        (#"{"prompt":"x","role":"codr"}"#, "unknown role 'codr' (did you mean 'coder'?)"),
        (#"{"prompt":"x","role":"nobody"}"#, "unknown role 'nobody' (configured: coder, form, model, template)"),
        (#"{"prompt":"x","role":7}"#, "role must be a string, not a number"),
        (#"{"kind":"embed","input":"x","role":"coder"}"#, "role has no meaning for an embed job"),
        (
            #"{"prompt":"x","role":"template"}"#,
            "the system text of role 'template' is a template, which only steps of pipelines fill in"
        ),
        (#"{"prompt":"x","role":"model"}"#, "the model of role 'model' is a template, which only steps of pipelines fill in"),
    ])
    func whatCannotBeARoleIsRefused(_ line: String, _ sentence: String) {
        #expect(Self.refusal(line) == sentence)
    }

    @Test func aConfigurationMayHaveNoRoles() {
        #expect(AgentQueueTests.refusal(#"{"prompt":"x","role":"coder"}"#) == "unknown role 'coder' (the configuration has no roles)")
    }
}
