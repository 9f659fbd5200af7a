import AgentQueueModel
import AgentQueueStore
import Testing

@testable import AgentQueue

/// Memories as lines of JSON.
@Suite struct MemoryLineTests {
    private static func line(_ text: String) throws(InputError) -> MemoryLine {
        let bytes = Array(text.utf8)
        let result: Result<MemoryLine, InputError> = bytes.withUnsafeBytes { raw in
            Result { () throws(InputError) in try MemoryLine(raw) }
        }
        return try result.get()
    }

    private static func refusal(_ text: String) -> String? {
        do throws(InputError) {
            _ = try line(text)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func aLineSaysAllThereIs() throws {
        let line = try Self.line(
            #"""
            {"id": 7, "namespace": "n", "key": "k", "text": "t", "metadata": {"b": 1, "a": null}, "importance": 1,
             "created_at": "2026-01-01T00:00Z", "recalled_at": "2026-01-02T00:00Z", "expires_at": "2030-01-01T00:00Z",
             "model": "p/m", "passage_prefix": "passage: ", "vector": [1, -2.5, 3e-2]}
            """#)
        #expect(line.namespace == "n")
        #expect(line.model == "p/m")
        #expect(line.passagePrefix == "passage: ")
        #expect(line.draft.text == "t" && line.draft.key == "k" && line.draft.importance == 1)
        #expect(line.draft.metadata == ["b": 1, "a": .null])
        #expect(line.draft.createdAt == 1_767_225_600_000)
        #expect(line.draft.recalledAt == 1_767_312_000_000)
        #expect(line.draft.expiry == .at(1_893_456_000_000))
        #expect(line.draft.vector == .own([1, -2.5, 0.03]))
    }

    @Test func nulls() throws {
        let line = try Self.line(#"{"text": "t", "key": null, "metadata": null, "importance": null, "expires_at": null, "vector": null}"#)
        #expect(line.draft.expiry == .never)
        #expect(line.saysNoVector)
        #expect(line.draft.key == nil && line.draft.metadata == nil && !line.saysImportance)
        #expect(try Self.line(#"{"text": "t", "ttl": null, "recalled_at": null}"#).draft == MemoryDraft("t"))
    }

    @Test func timesToLive() throws {
        #expect(try Self.line(#"{"text": "t", "ttl": "90d"}"#).draft.expiry == .after(90 * 86_400_000))
        #expect(try Self.line(#"{"text": "t", "ttl": 1.5}"#).draft.expiry == .after(1_500))
        #expect(try Self.line(#"{"text": "t", "ttl": "never"}"#).draft.expiry == .never)
    }

    @Test(arguments: [
        ("", "not valid JSON"), ("[]", "a line must hold an object, not a list"), ("{\"text\": \"t\"", "not valid JSON"),
        (#"{"txt": "t"}"#, "unknown key 'txt' (did you mean 'text'?)"), (#"{"text": 7}"#, "text must be a string, not a number"),
        (#"{"text": "t", "importance": "high"}"#, "importance must be a number, not a string"),
        (#"{"text": "t", "metadata": [1]}"#, "metadata must be an object, not a list"),
        (#"{"text": "t", "vector": [1, "2"]}"#, "value 2 of the vector must be a number, not a string"),
        (#"{"text": "t", "vector": {"0": 1}}"#, "vector must be a list, not an object"),
        (#"{"text": "t", "vector": [NaN]}"#, "not valid JSON at byte 26"),
        (#"{"text": "t", "vector": [1, Infinity]}"#, "not valid JSON at byte 29"),
        (#"{"text": "t", "vector": [1e999]}"#, "not valid JSON at byte 26: a number out of range"),
        (#"{"text": "t", "ttl": "soon"}"#, "ttl 'soon' is not a duration"), (#"{"text": "t", "ttl": -1}"#, "ttl cannot be negative"),
        (#"{"text": "t", "ttl": "1d", "expires_at": "2030-01-01T00:00Z"}"#, "ttl and expires_at cannot both be given"),
        (#"{"text": "t", "created_at": "yesterday"}"#, "created_at 'yesterday' is not a time"),
        (#"{"text": "t", "created_at": 5}"#, "created_at must be a string"),
        (#"{"text": "t", "text": "u"}"#, "not valid JSON at byte 15: the key 'text' stands twice"),
    ])
    func refuse(_ text: String, _ says: String) {
        let refusal = Self.refusal(text)
        #expect(refusal?.hasPrefix(says) == true, "\(refusal ?? "read")")
    }

    @Test("A vector is written so that it is read as the same again")
    func vectorText() throws {
        var random = SystemRandomNumberGenerator()
        var values: [Float] = [0, -0, 1, -1, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 1e-5, 1e10, 0.1]
        while values.count < 20_000 {
            let value = Float(bitPattern: UInt32.random(in: 0 ... .max, using: &random))
            if value.isFinite { values.append(value) }
        }
        let again = try VectorText.parse(VectorText.json(values).text)
        #expect(zip(again, values).allSatisfy { $0.bitPattern == $1.bitPattern })
    }
}
