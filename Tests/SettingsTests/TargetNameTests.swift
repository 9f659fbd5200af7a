import Settings
import Testing

@Suite struct TargetNameTests {
    @Test(arguments: [
        ("local/smollm2", "local", "smollm2"), ("openrouter/meta-llama/llama-3:free", "openrouter", "meta-llama/llama-3:free"),
        ("claude-code/sonnet", "claude-code", "sonnet"),
    ])
    func reads(_ text: String, _ provider: String, _ model: String) throws {
        let target = try TargetName(text)
        #expect(target.provider == provider)
        #expect(target.model == model)
        #expect(target.description == text)
    }

    @Test(arguments: [
        "", "sonnet", "/sonnet", "local/", "lo cal/x", "local/a b", "local/a\u{1B}[0m", "-x/y", "a.b/c",
        "local/" + String(repeating: "x", count: 200),
    ])
    func refuses(_ text: String) {
        #expect(refusal { () throws(InvalidText) in try TargetName(text) } != nil)
    }

    @Test func aMessageHoldsNoControlCharacter() {
        let message = refusal { () throws(InvalidText) in try TargetName("local/a\u{1B}[31m\u{202E}b") } ?? ""
        #expect(message.hasPrefix("'local/a\\u{1b}[31m\\u{202e}b' is not a target"))
    }
}
