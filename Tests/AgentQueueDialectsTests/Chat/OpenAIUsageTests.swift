import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// What servers count, and where they count it.
@Suite struct OpenAIUsageTests {
    func usage(_ text: String) throws -> Usage { OpenAIReply.usage(try JSONValue.parseLeniently(text)) }

    @Test func usageIsReadAsFarAsItGoes() throws {
        #expect(try usage("null") == Usage())
        #expect(try usage("{}") == Usage())
        #expect(try usage(#"{"prompt_tokens":3,"total_tokens":3}"#) == Usage(inputTokens: 3))
        #expect(try usage(#"{"total_tokens":3}"#) == Usage(inputTokens: 3))
        #expect(try usage(#"{"prompt_tokens":3.0,"completion_tokens":-1,"prompt_tokens_details":null}"#) == Usage(inputTokens: 3))
        #expect(try usage(#"{"input_tokens":3,"output_tokens":4}"#) == Usage(inputTokens: 3, outputTokens: 4))
        let cached = Usage(inputTokens: 9, outputTokens: 1, cacheReadTokens: 5, cacheWriteTokens: 4)
        let details = #"{"cached_tokens":5,"cache_write_tokens":70}"#
        #expect(try usage(#"{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":\#(details)}"#) == cached)
        #expect(try usage(#"{"input_tokens":9,"output_tokens":1,"input_tokens_details":\#(details)}"#) == cached)
        #expect(try usage(#"{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":-5}}"#) == Usage(inputTokens: 3))
        let most = Usage(inputTokens: 3, cacheReadTokens: 3)
        #expect(try usage(#"{"prompt_tokens":3,"prompt_tokens_details":\#(details)}"#) == most)
    }

    @Test(
        arguments: [
            // xAI: thinking beside the completion.
            (
                #"{"prompt_tokens":21,"completion_tokens":5,"total_tokens":86,"completion_tokens_details":{"reasoning_tokens":60}}"#,
                Usage(inputTokens: 21, outputTokens: 65)
            ),
            (
                #"{"prompt_tokens":10120,"completion_tokens":1499,"total_tokens":14428,"prompt_tokens_details":{"cached_tokens":128},"#
                    + #""completion_tokens_details":{"reasoning_tokens":2809}}"#,
                Usage(inputTokens: 10_120, outputTokens: 4_308, cacheReadTokens: 128)
            ),
            // Gemini: only the total has the thinking.
            (#"{"prompt_tokens":20,"completion_tokens":198,"total_tokens":623}"#, Usage(inputTokens: 20, outputTokens: 603)),
            (#"{"prompt_tokens":21,"completion_tokens":0,"total_tokens":81}"#, Usage(inputTokens: 21, outputTokens: 60)),
            // OpenAI: thinking is part of the completion, and is not counted twice.
            (
                #"{"prompt_tokens":21,"completion_tokens":65,"total_tokens":86,"completion_tokens_details":{"reasoning_tokens":60}}"#,
                Usage(inputTokens: 21, outputTokens: 65)
            ),
            (
                #"{"input_tokens":21,"output_tokens":65,"total_tokens":86,"output_tokens_details":{"reasoning_tokens":60}}"#,
                Usage(inputTokens: 21, outputTokens: 65)
            ),
            // Another tokenizer counted the thinking: the total decides.
            (
                #"{"prompt_tokens":10,"completion_tokens":290,"total_tokens":300,"completion_tokens_details":{"reasoning_tokens":300}}"#,
                Usage(inputTokens: 10, outputTokens: 290)
            ),
            // Without a total, thinking that is more than the completion cannot be part of it.
            (
                #"{"prompt_tokens":21,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":60}}"#,
                Usage(inputTokens: 21, outputTokens: 65)
            ),
            (
                #"{"prompt_tokens":21,"completion_tokens":65,"completion_tokens_details":{"reasoning_tokens":60}}"#,
                Usage(inputTokens: 21, outputTokens: 65)
            ),
            // Cached input beside the prompt is input.
            (
                #"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":1015,"prompt_tokens_details":{"cached_tokens":1000}}"#,
                Usage(inputTokens: 1_010, outputTokens: 5, cacheReadTokens: 1_000)
            ),
            // DeepSeek and Moonshot name the cache in their own way.
            (
                #"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2}"#,
                Usage(inputTokens: 10, outputTokens: 5, cacheReadTokens: 8)
            ),
            (
                #"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"cached_tokens":8}"#,
                Usage(inputTokens: 10, outputTokens: 5, cacheReadTokens: 8)
            ),
            // A total that is too small says nothing.
            (#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":0}"#, Usage(inputTokens: 10, outputTokens: 5)),
        ] as [(String, Usage)])
    func theTotalTellsTheTrueOutput(text: String, expected: Usage) throws {
        #expect(try usage(text) == expected)
    }

    @Test(
        arguments: [
            (#"{"prompt_tokens":37.25,"completion_tokens":2,"total_tokens":39.25}"#, Usage(inputTokens: 37, outputTokens: 2)),
            (#"{"prompt_tokens":37.4,"completion_tokens":2.2,"total_tokens":39.6}"#, Usage(inputTokens: 37, outputTokens: 2)),
            (#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":-5}"#, Usage(inputTokens: 3, outputTokens: 2)),
            (#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":1e300}"#, Usage(inputTokens: 3, outputTokens: 2)),
            (#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":18446744073709551615}"#, Usage(inputTokens: 3, outputTokens: 2)),
            (#"{"prompt_tokens":3,"completion_tokens":1e999999999999,"total_tokens":5}"#, Usage(inputTokens: 3, outputTokens: 2)),
            (#"{"prompt_tokens":NaN,"completion_tokens":Infinity}"#, Usage()),
            (#"{"prompt_tokens":"3","completion_tokens":[2],"total_tokens":{}}"#, Usage()),
            (#"{"prompt_tokens":4294967295,"completion_tokens":2}"#, Usage(outputTokens: 2)),
        ] as [(String, Usage)])
    func fractionsAreRoundedAndAbsurdCountsAreMissing(text: String, expected: Usage) throws {
        #expect(try usage(text) == expected)
    }

    @Test(
        arguments: [
            (#"{"cost":0.25}"#, 0.25), (#"{"cost":{"total_cost":2}}"#, 2), (#"{"cost":-1}"#, nil), (#"{"cost":"1"}"#, nil), ("null", nil),
            (#"{"cost_in_usd_ticks":37756000}"#, 0.0037756), (#"{"cost_in_usd_ticks":-1}"#, nil),
        ] as [(String, Double?)])
    func aHubsPriceIsRead(text: String, cost: Double?) throws {
        #expect(OpenAIReply.cost(try JSONValue.parse(text)) == cost)
    }
}
