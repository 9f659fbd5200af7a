import Testing

@testable import AgentQueueSettings

@Suite struct NotificationSettingsTests {
    @Test func readsBothKinds() throws {
        let settings = try Fixture(
            """
            notifications:
              log: { command: "cat >> told" }
              pager: { url: "https://user:pw@example.com/hook/?key=x", secret_env: HOOK_SECRET, timeout: 5s, max_attempts: 3 }
            """
        ).load()
        var log = NotificationSettings()
        log.command = "cat >> told"
        var pager = NotificationSettings()
        pager.url = "https://user:pw@example.com/hook/?key=x"
        pager.secretEnv = "HOOK_SECRET"
        pager.timeout = .seconds(5)
        pager.maxAttempts = 3
        #expect(settings.notifications == ["log": log, "pager": pager])
        #expect(settings.entries.first { $0.key == "notifications.pager.url" }?.value == "https://***@example.com/hook/?***")
        #expect(pager.resolveSecret(environment: ["HOOK_SECRET": "whsec_eA=="]) == .found(Secret("whsec_eA==")))
    }

    @Test func aBodyMustBecomeJSON() throws {
        let good = #"{"text": "{{summary}}", "n": {{jobs}}, "o": {"p":{{id}}}}"#
        let url = "https://hooks.slack.com/services/T000/B000/XXXX"
        let settings = try Fixture("notifications: { a: { url: '\(url)', body: '\(good)' } }").load()
        #expect(settings.entries.first { $0.key == "notifications.a.url" }?.value == "https://hooks.slack.com/services/***")
        #expect(settings.notifications["a"]?.body == good)
        for bad in ["{{summary}", "{{summary}} and more", #"{"text": {{summary}"#, ""] {
            #expect { _ = try Fixture("notifications: { a: { url: 'http://h', body: '\(bad)' } }").load() } throws: {
                "\($0)".contains("notifications.a.body: ")
            }
        }
    }

    @Test(
        arguments: [
            ("notifications: { a: {} }", "notifications.a: says neither command nor url"),
            ("notifications: { a: { command: x, url: 'http://h' } }", "notifications.a.url: cannot stand beside a command"),
            ("notifications: { a: { command: x, body: '{}' } }", "notifications.a.body: is for a webhook (url), which posts it"),
            (
                #"notifications: { a: { url: 'http://h', body: '{"text": "{{sumary}}"}' } }"#,
                "notifications.a.body: has an unknown tag 'sumary' (did you mean 'summary'?)"
            ),
            ("notifications: { a: { command: ' ' } }", "notifications.a.command: is empty"),
            ("notifications: { a: { command: x, secret_env: S } }", "notifications.a.secret_env: is for a webhook (url), which it signs"),
            (
                "notifications: { a: { url: ftp://h } }",
                "notifications.a.url: is not an http or https URL (such as http://127.0.0.1:8089/v1)"
            ),
            ("notifications: { a: { url: 'http://h', timeout: 2h } }", "notifications.a.timeout: 2h is out of range (1s to 1h)"),
            ("notifications: { 'a b': { command: x } }", "'a b' is not a notification's name (letters, digits, _ and -)"),
            ("notifications: { a: { comand: x } }", "unknown key 'comand' (did you mean 'command'?)"),
        ])
    func saysWhatIsWrong(yaml: String, message: String) {
        #expect { _ = try Fixture(yaml).load() } throws: { "\($0)".hasSuffix(message) }
    }
}
