import AgentQueueModel
import Testing

@testable import AgentQueueSettings

@Suite struct YAMLValueTests {
    private static func value(_ yaml: String) throws -> JSONValue? { try YAMLValue.node(of: yaml).map { node in try YAMLValue.json(node) } }

    private static func fault(_ yaml: String) -> YAMLFault? {
        do {
            _ = try value(yaml)
            return nil
        } catch {
            return error as? YAMLFault
        }
    }

    @Test(
        arguments: [
            ("true", true), ("False", false), ("~", .null), ("null", .null), ("12", 12), ("-7", -7), ("+3", 3), ("0o17", 15), ("0x1F", 31),
            ("007", 7), ("0.5", 0.5), ("1e3", 1_000.0), (".5", 0.5), ("5.", 5.0), ("yes", "yes"), ("no", "no"), ("12:30", "12:30"),
            ("'12'", "12"), ("\"true\"", "true"), ("2026-11-22", "2026-11-22"), ("0x", "0x"), ("-", [.null]), ("1_000", "1_000"),
            ("99999999999999999999", .digits("99999999999999999999")), ("-099999999999999999999", .digits("-99999999999999999999")),
        ] as [(String, JSONValue)])
    func scalarsAreTypedByTheCoreSchema(_ yaml: String, _ expected: JSONValue) throws {
        #expect(try Self.value(yaml) == expected)
    }

    @Test func structuresKeepTheirOrder() throws {
        let value = try Self.value("b: [1, x, {}]\na:\n  - &one { deep: null }\n  - *one\n")
        #expect(value == ["b": [1, "x", [:]], "a": [["deep": .null], ["deep": .null]]])
        #expect(value?.members?.map(\.key) == ["b", "a"])
    }

    @Test func whatJSONCannotSayIsAFault() {
        #expect(Self.fault("a: 1\nb: .inf\n") == YAMLFault("'.inf' is not a finite number", line: 2))
        #expect(Self.fault("a: 1e999") == YAMLFault("'1e999' is not a finite number", line: 1))
        #expect(Self.fault("[.nan]") == YAMLFault("'.nan' is not a finite number", line: 1))
        #expect(Self.fault("? [a]\n: b\n") == YAMLFault("a key must be a word", line: 1))
        #expect(Self.fault("a: 1\na: 2\n")?.message == "duplicate key 'a' (first on line 1)")
        #expect(Self.fault(String(repeating: "[", count: 600) + String(repeating: "]", count: 600))?.message == "nests too deep")
    }

    @Test func anchorsCannotMakeMuchOfLittle() {
        let levels = (1...9).map { "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 10).joined(separator: ", "))]" }
        #expect(Self.fault("a0: &a0 x\n" + levels.joined(separator: "\n"))?.message == "holds more than 100000 values")
    }
}
