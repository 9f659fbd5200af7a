import Testing

@testable import ModelProviders

@Suite struct BaseURLTests {
    @Test(arguments: [
        ("http://127.0.0.1:8089/v1", "http://127.0.0.1:8089/v1"),
        ("HTTP://Example.COM:80/V1//", "http://example.com/V1"),
        ("https://api.openai.com:443/v1/", "https://api.openai.com/v1"),
        ("https://user:pass@h/v1?key=1#x", "https://h/v1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("nonsense/", "nonsense"),
    ])
    func oneAddressHasOneSpelling(text: String, shown: String) {
        #expect(BaseURL(text).shown == shown)
    }

    @Test func queriesAndCredentialsAreKeptApart() {
        let base = BaseURL("https://user:p%40ss@h/v1/?api-version=2")
        #expect(base.endpoint("/models") == "https://h/v1/models?api-version=2")
        #expect(base.credentials == "user:p%40ss")
    }
}
