import Testing

@Suite struct ScalarKeywordTests {
    @Test(arguments: [
        SchemaCase(#"{"type": "null"}"#, fits: ["null"], not: ["0", "false", #""""#, "[]", "{}"]),
        SchemaCase(#"{"type": "boolean"}"#, fits: ["true", "false"], not: ["0", "1", "null", #""true""#]),
        SchemaCase(
            #"{"type": "integer"}"#, fits: ["1", "-1", "0", "1.0", "-3.0", "1e3", "98249283749234923498293171823948729348710298301928331"],
            not: ["1.1", #""1""#, "null", "true", "[]", "1e-3"]),
        SchemaCase(#"{"type": "number"}"#, fits: ["1", "1.5", "-0.0", "1e300", "12345678910111213141516"], not: [#""1""#, "null", "{}"]),
        SchemaCase(#"{"type": "string"}"#, fits: [#""""#, #""1""#, #""é""#], not: ["1", "null", "[]", "true"]),
        SchemaCase(#"{"type": "array"}"#, fits: ["[]", "[1]"], not: ["{}", "null", #""[]""#]),
        SchemaCase(#"{"type": "object"}"#, fits: ["{}", #"{"a": 1}"#], not: ["[]", "null", "1"]),
        SchemaCase(#"{"type": ["string", "null"]}"#, fits: [#""a""#, "null"], not: ["1", "[]", "false"]),
        SchemaCase(#"{"type": ["integer", "string"]}"#, fits: ["1", "2.0", #""a""#], not: ["1.5", "null"]),
        SchemaCase("true", fits: ["1", "null", "{}"], not: []),
        SchemaCase("false", fits: [], not: ["1", "null", "{}", "[]"]),
        SchemaCase("{}", fits: ["1", "null", "{}"], not: []),
    ])
    func types(_ example: SchemaCase) throws { try example.check() }

    @Test(arguments: [
        SchemaCase(#"{"enum": [1, 2, 3]}"#, fits: ["1", "2.0", "3"], not: ["4", #""1""#, "null", "true"]),
        SchemaCase(#"{"enum": [0]}"#, fits: ["0", "0.0", "-0.0"], not: ["false", "[]", "null"]),
        SchemaCase(#"{"enum": [false]}"#, fits: ["false"], not: ["0", "0.0", "null"]),
        SchemaCase(#"{"enum": [[true]]}"#, fits: ["[true]"], not: ["[1]", "true"]),
        SchemaCase(
            #"{"enum": [6, "foo", [], true, {"foo": 12}]}"#, fits: ["[]", #"{"foo": 12.0}"#], not: [#"{"foo": false}"#, "null", "{}"]),
        SchemaCase(#"{"enum": [100000000000000000000]}"#, fits: ["100000000000000000000", "1e20"], not: ["100000000000000000001"]),
        SchemaCase(
            #"{"const": {"a": 1, "b": [2, {"c": 3}]}}"#,
            fits: [#"{"b": [2.0, {"c": 3}], "a": 1}"#], not: [#"{"a": 1}"#, #"{"a": 1, "b": [{"c": 3}, 2]}"#]),
        SchemaCase(#"{"const": null}"#, fits: ["null"], not: ["0", "false"]),
        SchemaCase(#"{"const": "\u00e9"}"#, fits: [#""é""#], not: [#""e\u0301""#]),
        SchemaCase(#"{"const": "hello\u0000there"}"#, fits: [#""hello\u0000there""#], not: [#""hellothere""#]),
        SchemaCase(
            #"{"const": 9007199254740992}"#,
            fits: ["9007199254740992", "9007199254740992.0"], not: ["9007199254740991", "9007199254740993"]),
        SchemaCase(#"{"const": {"": 1}, "enum": [{"": 1}, 2]}"#, fits: [#"{"": 1}"#], not: ["2"]),
        SchemaCase(#"{"const": [{"a": "1,"}]}"#, fits: [#"[{"a": "1,"}]"#], not: [#"[{"a": "1"}]"#, #"[{"a": "1"}, ""]"#]),
    ])
    func allowedValues(_ example: SchemaCase) throws { try example.check() }

    @Test(arguments: [
        SchemaCase(#"{"minimum": 1.1}"#, fits: ["2.6", "1.1", #""x""#, "null"], not: ["0.6", "1", "-5"]),
        SchemaCase(#"{"minimum": -2}"#, fits: ["-1", "0", "-2", "-2.0"], not: ["-2.0001", "-3", "-1e10"]),
        SchemaCase(#"{"maximum": 3.0}"#, fits: ["2.6", "3", "-1e300"], not: ["3.5", "4", "3.0000000000000004"]),
        SchemaCase(
            #"{"maximum": 18446744073709551615}"#, fits: ["18446744073709551600", "18446744073709551615"], not: ["18446744073709551616"]),
        SchemaCase(#"{"minimum": -18446744073709551615}"#, fits: ["-18446744073709551600"], not: ["-18446744073709551616", "-1e30"]),
        SchemaCase(#"{"exclusiveMinimum": 1.1}"#, fits: ["1.2"], not: ["1.1", "1"]),
        SchemaCase(#"{"exclusiveMaximum": 3}"#, fits: ["2.2", "2"], not: ["3.0", "3", "3.5"]),
        SchemaCase(
            #"{"exclusiveMaximum": 972783798187987123879878123.188781371}"#, fits: ["1"], not: ["972783798187987123879878123.188781371"]),
        SchemaCase(#"{"minimum": 9007199254740993}"#, fits: ["9007199254740993"], not: ["9007199254740992.0", "9007199254740992"]),
        SchemaCase(#"{"minimum": 0, "maximum": 1}"#, fits: ["0", "1", "0.5"], not: ["-0.1", "1.1"]),
        SchemaCase(#"{"multipleOf": 2}"#, fits: ["10", "0", "-4", "4.0", #""x""#], not: ["7", "2.5"]),
        SchemaCase(#"{"multipleOf": 1.5}"#, fits: ["0", "4.5", "3"], not: ["35", "1"]),
        SchemaCase(#"{"multipleOf": 0.0001}"#, fits: ["0.0075", "1", "12.3456"], not: ["0.00751"]),
        SchemaCase(#"{"multipleOf": 0.01}"#, fits: ["19.99", "0.07", "1.1", "4.35", "100"], not: ["19.999", "0.001"]),
        SchemaCase(#"{"multipleOf": 0.5}"#, fits: ["1e308", "1.5"], not: ["0.25"]),
        SchemaCase(#"{"multipleOf": 0.123456789}"#, fits: ["0.123456789", "123.456789"], not: ["1e308", "0.12345679"]),
        SchemaCase(#"{"multipleOf": 3}"#, fits: ["300000000000000000000000000003", "-9"], not: ["300000000000000000000000000004"]),
        SchemaCase(#"{"multipleOf": 10}"#, fits: ["100", "1e5", "0"], not: ["101", "5", "1e-5"]),
        SchemaCase(
            #"{"multipleOf": 9223372036854775807}"#, fits: ["9223372036854775807", "18446744073709551614"], not: ["9223372036854775806"]),
    ])
    func numbers(_ example: SchemaCase) throws { try example.check() }

    @Test(arguments: [
        SchemaCase(#"{"minLength": 2}"#, fits: [#""foo""#, #""fo""#, "100", #""e\u0301""#], not: [#""f""#, #""💩""#, #""é""#, #""""#]),
        SchemaCase(#"{"maxLength": 2}"#, fits: [#""f""#, #""fo""#, "100", #""💩💩""#, #""🏳""#], not: [#""foo""#, #""🏳️‍🌈""#]),
        SchemaCase(#"{"minLength": 1.0, "maxLength": 3.0}"#, fits: [#""abc""#], not: [#""""#, #""abcd""#]),
        SchemaCase(#"{"maxLength": 100000000000000000000}"#, fits: [#""abc""#], not: []),
        SchemaCase(#"{"pattern": "^a*$"}"#, fits: [#""aaa""#, #""""#, "12", "null", "{}"], not: [#""abc""#, #""b""#, #""a\n""#]),
        SchemaCase(#"{"pattern": "a+"}"#, fits: [#""xxaayy""#], not: [#""xyz""#]),
        SchemaCase(#"{"format": "email", "contentEncoding": "base64"}"#, fits: [#""2962""#, "1"], not: []),
        SchemaCase(#"{"title": 1, "description": [], "x-unknown": {"type": 5}, "default": 3}"#, fits: ["1", #""a""#], not: []),
    ])
    func strings(_ example: SchemaCase) throws { try example.check() }
}
