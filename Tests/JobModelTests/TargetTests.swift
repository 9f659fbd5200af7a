import JobModel
import Testing

@Suite struct TargetTests {
    @Test(arguments: [
        ("anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"), ("a/b", "a", "b"),
        ("local/org/model:q4", "local", "org/model:q4"),
        ("a//b", "a", "/b"), ("é/ü", "é", "ü"),
    ])
    func isRead(_ text: String, _ provider: String, _ model: String) {
        let target = Target(text)
        #expect(target?.provider == provider)
        #expect(target?.model == model)
        #expect(target?.description == text)
        #expect(target == Target(provider: provider, model: model))
    }

    @Test(arguments: ["", "/", "a", "a/", "/b", "a b/c", "a/b c", "a/b\n", "a/\0b", "a/b\u{7F}", "\ta/b", "a/\u{1b}[31m"])
    func isRefused(_ text: String) {
        #expect(Target(text) == nil)
    }

    @Test func lengthIsBoundedInBytes() {
        #expect(Target("a/" + String(repeating: "b", count: Target.maxBytes - 2)) != nil)
        #expect(Target("a/" + String(repeating: "b", count: Target.maxBytes - 1)) == nil)
        #expect(Target("a/" + String(repeating: "é", count: Target.maxBytes / 2 - 1)) != nil)
        #expect(Target("a/" + String(repeating: "é", count: Target.maxBytes / 2)) == nil)
        #expect(Target("xx a/b".dropFirst(3))?.provider == "a")
    }
}
