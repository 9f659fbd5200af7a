import Testing

@Suite struct ContainerKeywordTests {
    @Test(arguments: [
        // Two spellings of `é` are two properties.
        SchemaCase(
            #"{"properties": {"caf\u00e9": {"type": "integer"}, "cafe\u0301": {"type": "string"}}, "required": ["cafe\u0301"]}"#,
            fits: [#"{"caf\u00e9": 1, "cafe\u0301": "a"}"#], not: [#"{"caf\u00e9": 1}"#, #"{"caf\u00e9": "a", "cafe\u0301": "a"}"#]),
        SchemaCase(#"{"items": {"type": "integer"}}"#, fits: ["[]", "[1, 2.0]", #"{"foo": "bar"}"#], not: [#"[1, "x"]"#, "[null]"]),
        SchemaCase(#"{"items": false}"#, fits: ["[]"], not: ["[1]"]),
        SchemaCase(
            #"{"prefixItems": [{"type": "integer"}, {"type": "string"}]}"#,
            fits: ["[]", "[1]", #"[1, "a"]"#, #"[1, "a", null]"#, #"{"0": "x"}"#], not: [#"["a", 1]"#, "[1, 2]"]),
        SchemaCase(#"{"prefixItems": [{}, {}], "items": false}"#, fits: ["[1]", "[1, 2]"], not: ["[1, 2, 3]"]),
        SchemaCase(
            #"{"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}"#, fits: [#"["x", 2, 3]"#], not: [#"["x", "y"]"#, "[1]"]),
        SchemaCase(#"{"prefixItems": [true, false]}"#, fits: ["[1]", "[]"], not: [#"[1, "foo"]"#]),
        SchemaCase(#"{"minItems": 1}"#, fits: ["[1]", "[1, 2]", #""""#], not: ["[]"]),
        SchemaCase(#"{"maxItems": 2}"#, fits: ["[]", "[1, 2]", #""foobar""#], not: ["[1, 2, 3]"]),
        SchemaCase(
            #"{"uniqueItems": true}"#,
            fits: [
                "[1, 2]", "[1, true]", "[0, false]", #"["1", 1]"#, #"[{"a": 1}, {"a": 2}]"#, "[[1], [true]]", #"["é", "e\u0301"]"#,
                #"[{"a": false}, {"a": 0}]"#, "[9007199254740992, 9007199254740993]",
            ],
            not: [
                "[1, 1]", "[1.0, 1.00, 1]", #"[{"a": 1, "b": 2}, {"b": 2, "a": 1}]"#, #"["x", 1, "x"]"#, "[[], []]", "[null, null]",
                "[1e2, 100]",
            ]),
        SchemaCase(#"{"uniqueItems": false}"#, fits: ["[1, 1]"], not: []),
        SchemaCase(#"{"contains": {"minimum": 5}}"#, fits: ["[3, 4, 5]", "[5]", "{}", #"["x", 7]"#, #"["x"]"#], not: ["[2, 3, 4]", "[]"]),
        SchemaCase(#"{"contains": false}"#, fits: [#""contains does not apply""#], not: ["[1]", "[]"]),
        SchemaCase(#"{"contains": {"const": 1}, "minContains": 2}"#, fits: ["[1, 1]", "[1, 2, 1]"], not: ["[1]", "[]", "[2, 1]"]),
        SchemaCase(#"{"contains": {"const": 1}, "maxContains": 1}"#, fits: ["[1]", "[1, 2]"], not: ["[1, 1]", "[]", "[2]"]),
        SchemaCase(#"{"contains": {"const": 1}, "minContains": 0}"#, fits: ["[]", "[2]", "[1]"], not: []),
        SchemaCase(#"{"contains": {"const": 1}, "minContains": 0, "maxContains": 1}"#, fits: ["[]", "[1]"], not: ["[1, 1]"]),
        SchemaCase(#"{"minContains": 3, "maxContains": 1}"#, fits: ["[]", "[1, 1]"], not: []),
        SchemaCase(#"{"unevaluatedItems": false, "prefixItems": [true]}"#, fits: ["[1]"], not: ["[1, 2]"]),
        SchemaCase(#"{"unevaluatedItems": {"type": "string"}, "items": true}"#, fits: ["[1]"], not: []),
    ])
    func lists(_ example: SchemaCase) throws { try example.check() }

    @Test(arguments: [
        SchemaCase(
            #"{"properties": {"foo": {"type": "integer"}, "bar": {"type": "string"}}}"#,
            fits: [#"{"foo": 1, "bar": "b"}"#, "{}", "[]", #"{"quux": []}"#], not: [#"{"foo": 1, "bar": {}}"#, #"{"foo": [], "bar": {}}"#]),
        SchemaCase(#"{"properties": {"a": true, "b": false}}"#, fits: ["{}", #"{"a": 1}"#], not: [#"{"b": 2}"#, #"{"a": 1, "b": 2}"#]),
        SchemaCase(
            #"{"properties": {"foo\nbar": {"type": "number"}, "a/b": {"type": "number"}, "t~t": {"type": "number"}}}"#,
            fits: [#"{"foo\nbar": 1, "a/b": 1, "t~t": 1}"#], not: [#"{"foo\nbar": "1"}"#, #"{"a/b": "1"}"#, #"{"t~t": "1"}"#]),
        SchemaCase(
            #"{"properties": {"__proto__": {"type": "number"}, "constructor": {"type": "number"}}}"#,
            fits: ["{}", #"{"__proto__": 1}"#], not: [#"{"__proto__": "x"}"#, #"{"constructor": "x"}"#]),
        SchemaCase(#"{"required": ["foo"]}"#, fits: [#"{"foo": 1}"#, #"{"foo": null}"#, "[]", #""""#, "12"], not: ["{}", #"{"bar": 1}"#]),
        SchemaCase(#"{"required": []}"#, fits: ["{}"], not: []),
        SchemaCase(
            #"{"required": ["a", "b", "a"], "properties": {"a": {"type": "null"}}}"#,
            fits: [#"{"a": null, "b": 1}"#], not: [#"{"a": null}"#, #"{"b": 1}"#, #"{"a": 1, "b": 1}"#]),
        SchemaCase(#"{"required": ["é"]}"#, fits: [#"{"é": 1}"#], not: [#"{"e\u0301": 1}"#]),
        SchemaCase(
            #"{"properties": {"foo": {}}, "additionalProperties": false}"#,
            fits: [#"{"foo": 1}"#, "{}", "[1, 2]", #""x""#], not: [#"{"foo": 1, "quux": 1}"#]),
        SchemaCase(
            #"{"properties": {"foo": {}}, "patternProperties": {"^v": {}}, "additionalProperties": false}"#,
            fits: [#"{"foo": 1, "vroom": 2}"#], not: [#"{"foo": 1, "Vroom": 2}"#]),
        SchemaCase(
            #"{"properties": {"foo": {}}, "additionalProperties": {"type": "boolean"}}"#,
            fits: [#"{"foo": 1, "x": true}"#], not: [#"{"foo": 1, "x": 12}"#]),
        SchemaCase(#"{"additionalProperties": {"type": "boolean"}}"#, fits: [#"{"foo": true}"#], not: [#"{"foo": 1}"#]),
        SchemaCase(
            #"{"allOf": [{"properties": {"foo": {}}}], "additionalProperties": {"type": "boolean"}}"#,
            fits: [#"{"foo": true}"#], not: [#"{"foo": 1}"#]),
        SchemaCase(
            #"{"patternProperties": {"f.*o": {"type": "integer"}}}"#,
            fits: [#"{"foo": 1}"#, #"{"foo": 1, "foooooo": 2}"#, #"{"bar": "x"}"#],
            not: [#"{"foo": "bar", "fooooo": 2}"#, #"{"xfoox": "bar"}"#]),
        SchemaCase(
            #"{"patternProperties": {"a*": {"type": "integer"}, "aaa*": {"maximum": 20}}}"#,
            fits: [#"{"a": 21}"#, #"{"aaaa": 18}"#], not: [#"{"a": "bar"}"#, #"{"aaaa": 31}"#, #"{"aaa": "foo", "aaaa": 31}"#]),
        SchemaCase(
            #"{"patternProperties": {"[0-9]{2,}": {"type": "boolean"}, "X_": {"type": "string"}}}"#,
            fits: [#"{"answer 1": "42"}"#, #"{"a_x_3": 3}"#], not: [#"{"a31b": null}"#, #"{"a_X_3": 3}"#]),
        SchemaCase(#"{"propertyNames": {"maxLength": 3}}"#, fits: [#"{"f": {}, "foo": {}}"#, "{}", "[1]"], not: [#"{"foobar": {}}"#]),
        SchemaCase(#"{"propertyNames": {"pattern": "^a+$"}}"#, fits: [#"{"a": {}, "aaa": {}}"#], not: [#"{"aaA": {}}"#]),
        SchemaCase(#"{"propertyNames": {"enum": ["a", "b"]}}"#, fits: [#"{"a": 1}"#], not: [#"{"c": 1}"#]),
        SchemaCase(#"{"propertyNames": false}"#, fits: ["{}"], not: [#"{"a": 1}"#]),
        SchemaCase(#"{"minProperties": 1}"#, fits: [#"{"a": 1}"#, "[]", #""""#], not: ["{}"]),
        SchemaCase(#"{"maxProperties": 2}"#, fits: [#"{"a": 1, "b": 2}"#, "[1, 2, 3]"], not: [#"{"a": 1, "b": 2, "c": 3}"#]),
        SchemaCase(#"{"maxProperties": 0}"#, fits: ["{}"], not: [#"{"a": 1}"#]),
        SchemaCase(
            #"{"dependentRequired": {"bar": ["foo"]}}"#,
            fits: ["{}", #"{"foo": 1}"#, #"{"foo": 1, "bar": 2}"#, #"["bar"]"#], not: [#"{"bar": 2}"#]),
        SchemaCase(
            #"{"dependentRequired": {"quux": ["foo", "bar"]}}"#,
            fits: [#"{"foo": 1, "bar": 2, "quux": 3}"#], not: [#"{"foo": 1, "quux": 2}"#, #"{"quux": 1}"#]),
        SchemaCase(
            #"{"dependentSchemas": {"bar": {"properties": {"foo": {"type": "integer"}}}}}"#,
            fits: [#"{"foo": 1, "bar": 2}"#, #"{"foo": "quux"}"#], not: [#"{"foo": "quux", "bar": 2}"#]),
        SchemaCase(#"{"dependentSchemas": {"foo": true, "bar": false}}"#, fits: [#"{"foo": 1}"#, "{}"], not: [#"{"bar": 2}"#]),
        SchemaCase(#"{"properties": {"a": true}, "unevaluatedProperties": false}"#, fits: [#"{"a": 1}"#, "{}"], not: [#"{"b": 1}"#]),
        SchemaCase(#"{"allOf": [true], "unevaluatedProperties": true}"#, fits: [#"{"a": 1}"#], not: []),
    ])
    func objects(_ example: SchemaCase) throws { try example.check() }
}
