import AgentQueueModel
import AgentQueueShipped
import Testing

@testable import AgentQueueSettings

/// List prices, and which provider's calls they are the prices of.
@Suite struct PriceTests {
    private static func price(_ target: String, _ yaml: String = "") throws -> ModelPrice? {
        let settings = try Fixture(yaml).load()
        return Target(target).flatMap { settings.prices.price(of: $0) }
    }

    @Test func theShippedListIsReadAndDated() throws {
        let list = try PriceList(ShippedPrices.text)
        #expect(list == PriceList.shipped && list.date.wholeMatch(of: /20\d\d-\d\d-\d\d/) != nil)
        #expect(list.vendors.keys.sorted() == ["anthropic", "deepseek", "google", "groq", "mistral", "openai", "xai"])
        for (name, vendor) in list.vendors {
            #expect(!vendor.hosts.isEmpty, "\(name)")
            for (model, price) in vendor.models {
                #expect(price.rates.cacheRead <= price.rates.input && price.rates.cacheWrite >= price.rates.input, "\(model)")
                if let long = price.long { #expect(long.rates.input > price.rates.input && long.above >= 99_999, "\(model)") }
            }
        }
    }

    @Test func aProviderIsKnownByItsAddressWhateverItIsCalled() throws {
        let mine = "providers:\n  mine: { kind: openai, base_url: https://API.OpenAI.com/v1, api_key_env: K }\n"
        #expect(try Self.price("mine/gpt-4o-mini", mine) == Self.price("openai/gpt-4o-mini"))
        #expect(try Self.price("mine/gpt-4o-mini", mine)?.rates == .init(input: 0.15, output: 0.6, cacheRead: 0.075))
        let foreign = "providers:\n  openai: { kind: openai, base_url: https://gateway.example/v1, api_key_env: K }\n"
        #expect(try Self.price("openai/gpt-4o-mini", foreign) == nil)
        // Regional endpoints have surcharges.
        let regional = "providers:\n  openai: { kind: openai, base_url: https://eu.api.openai.com/v1, api_key_env: K }\n"
        #expect(try Self.price("openai/gpt-4o-mini", regional) == nil)
    }

    @Test func aSnapshotHasThePriceOfItsFamilyUnlessItHasItsOwn() throws {
        #expect(try Self.price("openai/gpt-4o-2024-08-06") == Self.price("openai/gpt-4o"))
        #expect(try Self.price("openai/gpt-4o-2024-05-13")?.rates.input == 5)
        #expect(try Self.price("anthropic/claude-haiku-4-5-20251001") == Self.price("anthropic/claude-haiku-4-5"))
        for model in ["gpt-4o-audio-preview", "ft:gpt-4o-2024-08-06:me::x", "gpt-4o-latest", "gpt-4o-2024-08", "gpt-99"] {
            #expect(try Self.price("openai/\(model)") == nil, "\(model)")
        }
    }

    @Test func aServerOnThisMachineIsFreeUnlessItHasAPrice() throws {
        for url in ["http://localhost:8080/v1", "http://127.0.0.1/v1", "http://[::1]:1/v1"] {
            #expect(try Self.price("s/m", "providers:\n  s: { kind: openai, base_url: '\(url)' }\n") == .free, "\(url)")
        }
        for url in ["http://127.0.0.1.example/v1", "http://192.168.0.9/v1", "http://localhost.example/v1"] {
            #expect(try Self.price("s/m", "providers:\n  s: { kind: openai, base_url: '\(url)' }\n") == nil, "\(url)")
        }
        let priced = "models:\n  local/smollm2: { price: { input_per_mtok: 1, output_per_mtok: 2 } }\n"
        #expect(try Self.price("local/smollm2", priced)?.rates.output == 2)
        #expect(try Self.price("claude-code/sonnet") == nil)
    }

    @Test func whatIsWrittenForAnHourCostsTwice() throws {
        #expect(try Self.price("anthropic/claude-sonnet-5")?.rates.cacheWrite == 2.5)
        #expect(try Self.price("anthropic/claude-sonnet-5", "providers:\n  anthropic: { prompt_cache: 1h }\n")?.rates.cacheWrite == 4)
    }

    @Test func aLimitOfDollarsNeedsThePriceOfEveryTargetItNames() throws {
        let provider = "providers:\n  far: { kind: openai, base_url: https://models.example/v1, limits: { usd_per_day: 1 } }\n"
        let fault = Fixture("default_model: far/m\n\(provider)").fault()
        #expect(
            fault?.hasPrefix("agent-queue.yaml:3: providers.far.limits.usd_per_day: cannot be kept for far/m") == true,
            "\(fault ?? "")")
        #expect(fault?.contains("models: { far/m: { price: { input_per_mtok:") == true)
        #expect(
            Fixture("default_model: far/m\n\(provider)models:\n  far/m: { price: { input_per_mtok: 1, output_per_mtok: 1 } }\n").fault()
                == nil)
        #expect(Fixture(provider).fault() == nil, "no target is named")
        #expect(Fixture("models:\n  openai/gpt-99: { batch_api: true }\n").fault() == nil, "nobody asked for the built-in limit")
        let own = Fixture("providers:\n  openai: { limits: { usd_per_day: 5 } }\nmodels:\n  openai/gpt-99: { batch_api: true }\n").fault()
        #expect(own?.contains("openai/gpt-99") == true)
    }

    @Test(
        arguments: [
            (
                "as_of: 2026-01-01\nvendors:\n  v: { hosts: [h], source: s, checked: 2026-01-01, models: { m: { input: 1 } } }",
                "v: m needs input and output"
            ),
            ("as_of: soon\nvendors: {}", "as_of must be a day, such as 2026-11-30"),
            ("as_of: 2026-01-01\nvendors:\n  v: { hosts: [h], models: {} }", "v needs a source and the day on which it was checked"),
            (
                "as_of: 2026-01-01\nvendors:\n  v: { hosts: [h], source: s, checked: 2026-01-01, models: { m: { in: 1 } } }",
                "v: m: unknown key 'in'"
            ),
        ])
    func aFaultyListIsRefused(_ text: String, _ message: String) {
        let fault = #expect(throws: YAMLFault.self) { try PriceList(text) }
        #expect(fault?.message == message)
    }
}
