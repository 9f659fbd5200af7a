/// What the descriptions of several routes refer to.
extension OpenAPI {
    static let components = """
        {
          "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}
          },
          "parameters": {
            "ID": {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}
          },
          "requestBodies": {
            "Batch": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}},
            "Chat": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Chat"}}}},
            "Embeddings": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Embeddings"}}}},
            "Job": {"required": true, "content": {"application/json": {"schema": {"type": "object"}}}},
            "MessageBatch": {
              "required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MessageBatch"}}}
            },
            "Messages": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Messages"}}}},
            "Responses": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Responses"}}}},
            "File": {"required": true, "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/File"}}}}
          },
          "responses": {
            "Object": {
              "description": "What was asked for.",
              "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "Bytes": {
              "description": "The bytes of a file.",
              "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
            },
            "Lines": {
              "description": "A result on each line.",
              "content": {"application/x-jsonl": {"schema": {"type": "string"}}}
            },
            "Answer": {
              "description": "The answer, whole or as a stream of events.",
              "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/event-stream": {"schema": {"type": "string"}}
              }
            },
            "Error": {
              "description": "Why there is none, in the form of the client's API.",
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
            }
          },
          "schemas": {
            "Batch": {
              "type": "object", "required": ["input_file_id", "endpoint", "completion_window"],
              "properties": {
                "input_file_id": {"type": "string", "minLength": 1},
                "endpoint": {"enum": ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"]},
                "completion_window": {"type": "string"}
              }
            },
            "Chat": {
              "type": "object", "required": ["model", "messages"],
              "properties": {
                "model": {"type": "string", "minLength": 1},
                "messages": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["role"]}},
                "stream": {"type": "boolean"}
              }
            },
            "Embeddings": {
              "type": "object", "required": ["model", "input"],
              "properties": {
                "model": {"type": "string", "minLength": 1},
                "input": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "maxItems": 2048}]},
                "encoding_format": {"enum": ["float", "base64"]}
              }
            },
            "MessageBatch": {
              "type": "object", "required": ["requests"],
              "properties": {
                "requests": {
                  "type": "array", "minItems": 1,
                  "items": {
                    "type": "object", "required": ["custom_id", "params"],
                    "properties": {"custom_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, "params": {"type": "object"}}
                  }
                }
              }
            },
            "Messages": {
              "type": "object", "required": ["model", "messages"],
              "properties": {
                "model": {"type": "string", "minLength": 1},
                "max_tokens": {"type": "integer", "minimum": 1},
                "messages": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["role", "content"]}},
                "stream": {"type": "boolean"}
              }
            },
            "Responses": {
              "type": "object", "required": ["model", "input"],
              "properties": {
                "model": {"type": "string", "minLength": 1},
                "input": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
                "stream": {"type": "boolean"},
                "background": {"type": "boolean"}
              }
            },
            "File": {
              "type": "object", "required": ["file", "purpose"],
              "properties": {
                "file": {"type": "string", "format": "binary"},
                "purpose": {"enum": ["batch", "user_data"]}
              }
            },
            "Error": {
              "type": "object", "required": ["error"],
              "properties": {
                "error": {
                  "type": "object", "required": ["message", "type"],
                  "properties": {"message": {"type": "string"}, "type": {"type": "string"}}
                }
              }
            }
          }
        }
        """
}
