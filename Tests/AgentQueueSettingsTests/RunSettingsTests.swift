import AgentQueueModel
import Testing

@testable import AgentQueueSettings

/// Roles, modes and the folder of pipelines.
@Suite struct RunSettingsTests {
    private static let yaml = #"""
        pipelines: ~/pipes
        roles:
          planner: { system: "You plan.\n{{inputs.style}}", model: anthropic/claude-sonnet-4-5, temperature: 0.2, max_tokens: 2000 }
          coder:
            model: "local/{{inputs.model}}"
            parameters: { top_p: 0.9, stop: ["\n\n", END], seed: 7, logprobs: true, user: "7" }
          empty:
        modes:
          quick: { pipeline: coding, inputs: { rounds: 1, targets: [a/x], note: "1" }, model: openai/gpt-5 }
          slow:
            pipeline: coding
            roles: { planner: { temperature: 0 } }

        """#

    @Test func everythingIsRead() throws {
        let settings = try Fixture(Self.yaml).load()
        #expect(settings.pipelines == "/home/ada/pipes")
        let planner = try #require(settings.roles["planner"])
        #expect(planner.system == "You plan.\n{{inputs.style}}")
        #expect((planner.model, planner.temperature, planner.maxTokens) == ("anthropic/claude-sonnet-4-5", 0.2, 2_000))
        #expect(planner.parameters == nil)
        #expect(
            settings.roles["coder"]?.parameters.map(JSONValue.object) == [
                "top_p": 0.9, "stop": ["\n\n", "END"], "seed": 7, "logprobs": true, "user": "7",
            ])
        #expect(settings.roles["empty"] == RoleSettings())
        let quick = try #require(settings.modes["quick"])
        #expect((quick.pipeline, quick.model) == ("coding", "openai/gpt-5"))
        #expect(quick.inputs.map(JSONValue.object) == ["rounds": 1, "targets": ["a/x"], "note": "1"])
        #expect(settings.modes["slow"]?.roles["planner"]?.temperature == 0)
    }

    @Test func everythingIsShown() throws {
        let settings = try Fixture(Self.yaml).load()
        let shown = Dictionary(uniqueKeysWithValues: settings.entries.map { ($0.key, "\($0.value) (\($0.origin))") })
        #expect(shown["pipelines"] == "/home/ada/pipes (agent-queue.yaml:1)")
        #expect(shown["roles.planner.system"] == #""You plan.\n{{inputs.style}}" (agent-queue.yaml:3)"#)
        #expect(shown["roles.coder.parameters"]?.hasPrefix(#"{"top_p":0.9,"stop":["\n\n","END"],"seed":7,"#) == true)
        #expect(shown["modes.quick.inputs"] == #"{"rounds":1,"targets":["a/x"],"note":"1"} (agent-queue.yaml:9)"#)
        #expect(shown["modes.slow.pipeline"] == "coding (agent-queue.yaml:11)")
        #expect(shown["modes.slow.roles.planner.temperature"] == "0 (agent-queue.yaml:12)")
    }

    @Test func pipelinesLieBesideTheConfiguration() throws {
        #expect(try Fixture().load().pipelines == "/project/pipelines")
        var elsewhere = Fixture()
        elsewhere.files["/etc/aq/config.yaml"] = "durability: full\n"
        elsewhere.configPath = "/etc/aq/config.yaml"
        #expect(try elsewhere.load().pipelines == "/etc/aq/pipelines")
        elsewhere.files["/etc/aq/config.yaml"] = "pipelines: mine\n"
        #expect(try elsewhere.load().pipelines == "/etc/aq/mine")
    }

    @Test(arguments: [
        ("roles:\n  a: { sytem: x }\n", "agent-queue.yaml:2: unknown key 'sytem' (did you mean 'system'?)"),
        ("roles:\n  'a b': {}\n", "agent-queue.yaml:2: 'a b' is not a role's name (letters, digits, _ and -)"),
        ("roles:\n  a:\n    temperature: 3\n", "agent-queue.yaml:3: roles.a.temperature: 3 is out of range (0 to 2)"),
        ("roles:\n  a:\n    parameters: [1]\n", "agent-queue.yaml:3: roles.a.parameters: expected keys and values"),
        ("roles:\n  a: { model: nowhere/x }\n", "agent-queue.yaml:2: roles.a.model: provider 'nowhere' is not configured"),
        ("roles: [a]\n", "agent-queue.yaml:1: roles: expected keys and values here, found a list"),
        ("modes:\n  m: {}\n", "agent-queue.yaml:2: modes.m.pipeline: is missing"),
        ("modes:\n  m: { pipeline: x, role: {} }\n", "agent-queue.yaml:2: unknown key 'role' (did you mean 'roles'?)"),
        ("modes:\n  m: { pipeline: '../x' }\n", "agent-queue.yaml:2: modes.m.pipeline: '../x' is not a name (letters, digits, _ and -)"),
        (
            "modes:\n  m:\n    pipeline: x\n    inputs:\n      a: 1\n      b: .inf\n",
            "agent-queue.yaml:5: modes.m.inputs: on line 6: '.inf' is not a finite number"
        ),
        ("modes:\n  m: { pipeline: x, model: opnai/y }\n", "modes.m.model: provider 'opnai' is not configured (did you mean 'openai'?)"),
        (
            "modes:\n  m:\n    pipeline: x\n    roles:\n      r: { modle: x }\n",
            "agent-queue.yaml:5: unknown key 'modle' (did you mean 'model'?)"
        ),
        ("mode: {}\n", "agent-queue.yaml:1: unknown key 'mode' (did you mean 'modes'?)"),
    ])
    func faultsNameFileLineAndKey(_ yaml: String, _ expected: String) {
        #expect(Fixture(yaml).fault()?.hasSuffix(expected) == true, "\(Fixture(yaml).fault() ?? "no fault")")
    }
}
