import Testing

@Suite struct CombinationTests {
    @Test(arguments: [
        SchemaCase(
            #"{"allOf": [{"required": ["foo"]}, {"properties": {"bar": {"type": "integer"}}}]}"#,
            fits: [#"{"foo": 1, "bar": 2}"#], not: [#"{"bar": 2}"#, #"{"foo": 1, "bar": "x"}"#]),
        SchemaCase(#"{"allOf": [true, false]}"#, fits: [], not: ["1"]),
        SchemaCase(#"{"anyOf": [{"type": "integer"}, {"minimum": 2}]}"#, fits: ["1", "2.5", "3", #""x""#], not: ["1.5"]),
        SchemaCase(
            #"{"type": "string", "anyOf": [{"maxLength": 2}, {"minLength": 4}]}"#, fits: [#""ab""#, #""foobar""#], not: ["3", #""foo""#]),
        SchemaCase(#"{"anyOf": [{"type": "number"}, {}]}"#, fits: ["1", #""a""#], not: []),
        SchemaCase(#"{"oneOf": [{"type": "integer"}, {"minimum": 2}]}"#, fits: ["1", "2.5"], not: ["3", "1.5"]),
        SchemaCase(#"{"oneOf": [true, true]}"#, fits: [], not: ["1"]),
        SchemaCase(#"{"oneOf": [true, false, false]}"#, fits: ["1"], not: []),
        SchemaCase(
            #"{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}"#,
            fits: [#"{"a": 1}"#, #"{"b": 1}"#], not: ["{}", #"{"a": 1, "b": 1}"#]),
        SchemaCase(#"{"not": {"type": "integer"}}"#, fits: [#""a""#, "1.5"], not: ["1", "1.0"]),
        SchemaCase(#"{"not": {"not": {"type": "integer"}}}"#, fits: ["1"], not: [#""a""#]),
        SchemaCase(#"{"not": {}}"#, fits: [], not: ["1", "null"]),
        SchemaCase(
            #"{"if": {"exclusiveMaximum": 0}, "then": {"minimum": -10}, "else": {"multipleOf": 2}}"#,
            fits: ["-1", "4", "0"], not: ["-100", "3"]),
        SchemaCase(#"{"if": {"const": 0}}"#, fits: ["0", "1"], not: []),
        SchemaCase(#"{"then": {"const": 0}, "else": {"const": 1}}"#, fits: ["0", "5"], not: []),
        SchemaCase(#"{"if": true, "then": {"const": "then"}, "else": {"const": "else"}}"#, fits: [#""then""#], not: [#""else""#]),
        SchemaCase(
            #"{"if": {"properties": {"kind": {"const": "card"}}, "required": ["kind"]}, "then": {"required": ["number"]}}"#,
            fits: ["{}", #"{"kind": "cash"}"#, #"{"kind": "card", "number": 1}"#], not: [#"{"kind": "card"}"#]),
    ])
    func combinations(_ example: SchemaCase) throws { try example.check() }

    @Test(arguments: [
        SchemaCase(
            ##"{"properties": {"foo": {"$ref": "#"}}, "additionalProperties": false}"##,
            fits: [#"{"foo": false}"#, #"{"foo": {"foo": {}}}"#], not: [#"{"bar": 1}"#, #"{"foo": {"bar": 1}}"#]),
        SchemaCase(
            ##"{"properties": {"foo": {"type": "integer"}, "bar": {"$ref": "#/properties/foo"}}}"##,
            fits: [#"{"bar": 3}"#], not: [#"{"bar": true}"#]),
        SchemaCase(##"{"prefixItems": [{"type": "integer"}, {"$ref": "#/prefixItems/0"}]}"##, fits: ["[1, 2]"], not: [#"[1, "x"]"#]),
        SchemaCase(
            ##"{"$defs": {"tilde~f": {"type": "integer"}, "slash/f": {"type": "integer"}, "percent%f": {"type": "integer"}}, "##
                + ##""properties": {"t": {"$ref": "#/$defs/tilde~0f"}, "s": {"$ref": "#/$defs/slash~1f"}, "p": {"$ref": "#/$defs/percent%25f"}}}"##,
            fits: [#"{"t": 1, "s": 1, "p": 1}"#],
            not: [#"{"t": "x"}"#, #"{"s": "x"}"#, #"{"p": "x"}"#]),
        SchemaCase(
            ##"{"$defs": {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/a"}, "c": {"$ref": "#/$defs/b"}}, "$ref": "#/$defs/c"}"##,
            fits: ["5"], not: [#""a""#]),
        SchemaCase(
            ##"{"definitions": {"a": {"type": "integer"}}, "$ref": "#/definitions/a", "maximum": 3}"##, fits: ["3"], not: ["4", #""a""#]),
        SchemaCase(##"{"$ref": "#foo", "$defs": {"A": {"$anchor": "foo", "type": "integer"}}}"##, fits: ["1"], not: [#""a""#]),
        SchemaCase(##"{"$ref": "#/$defs/bool", "$defs": {"bool": false}}"##, fits: [], not: ["1"]),
        SchemaCase(
            ##"{"$id": "https://example.com/s", "items": {"$ref": "https://example.com/s#/$defs/n"}, "$defs": {"n": {"type": "null"}}}"##,
            fits: ["[null]"], not: ["[1]"]),
        SchemaCase(##"{"properties": {"$ref": {"type": "string"}}}"##, fits: [##"{"$ref": "a"}"##], not: [##"{"$ref": 2}"##]),
        SchemaCase(##"{"$ref": "#/x/y/0", "x": {"y": [{"type": "integer"}]}}"##, fits: ["1"], not: [#""a""#]),
        SchemaCase(
            ##"{"$defs": {"node": {"type": "object", "required": ["value"], "additionalProperties": false, "properties": {"value": {"type": "number"}, "##
                + ##""next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}}, "$ref": "#/$defs/node"}"##,
            fits: [#"{"value": 1, "next": {"value": 2, "next": null}}"#],
            not: [#"{"value": 1, "next": {"value": "2"}}"#, #"{"value": 1, "next": 5}"#]),
    ])
    func references(_ example: SchemaCase) throws { try example.check() }
}
