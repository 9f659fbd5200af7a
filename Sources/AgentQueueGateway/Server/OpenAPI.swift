import AgentQueue
import AgentQueueModel
import HTTPTypes

/// The description of the routes for tools that read OpenAPI. It is written by hand beside them; a test compares the two.
///
/// It says where things are and what comes back. What the bodies of requests may hold is described by OpenAI and Anthropic themselves.
enum OpenAPI {
    static var route: Route {
        Route(.get, "/openapi.json", scope: nil) { exchange in
            try await exchange.response.send(200, .json, body: Array(document.utf8))
        }
    }

    static let document = """
        {
          "openapi": "3.1.0",
          "info": {
            "title": "AgentQueue",
            "version": "\(Version.text)",
            "description": "The APIs of OpenAI and Anthropic over a durable queue."
          },
          "security": [{"bearer": []}, {"apiKey": []}],
          "paths": {
            "/v1/chat/completions": {
              "post": {
                "summary": "Answer a conversation (OpenAI).",
                "requestBody": {"$ref": "#/components/requestBodies/Chat"},
                "responses": {"200": {"$ref": "#/components/responses/Answer"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/embeddings": {
              "post": {
                "summary": "Turn texts into vectors (OpenAI).",
                "requestBody": {"$ref": "#/components/requestBodies/Embeddings"},
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/messages": {
              "post": {
                "summary": "Answer a conversation (Anthropic).",
                "requestBody": {"$ref": "#/components/requestBodies/Messages"},
                "responses": {"200": {"$ref": "#/components/responses/Answer"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/messages/count_tokens": {
              "post": {
                "summary": "Count the tokens of a request (Anthropic).",
                "requestBody": {"$ref": "#/components/requestBodies/Messages"},
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/responses": {
              "post": {
                "summary": "Answer an input (OpenAI).",
                "requestBody": {"$ref": "#/components/requestBodies/Responses"},
                "responses": {"200": {"$ref": "#/components/responses/Answer"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/responses/{id}": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Show a response; with stream=true, from after an event on.",
                "responses": {"200": {"$ref": "#/components/responses/Answer"}, "default": {"$ref": "#/components/responses/Error"}}
              },
              "delete": {
                "summary": "Delete a response.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/responses/{id}/cancel": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "post": {
                "summary": "Cancel a response in the background.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/responses/{id}/input_items": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "List what a response answered.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/models": {
              "get": {
                "summary": "List the models that the key may use, in the form of either API.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/models/{id}": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Show a model, in the form of either API.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/files": {
              "get": {
                "summary": "List the key's files, in the form of either API.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              },
              "post": {
                "summary": "Upload a file.",
                "requestBody": {"$ref": "#/components/requestBodies/File"},
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/files/{id}": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Show a file.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              },
              "delete": {
                "summary": "Delete a file.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/files/{id}/content": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Read a file, or the range of it that the header says.",
                "responses": {
                  "200": {"$ref": "#/components/responses/Bytes"}, "206": {"$ref": "#/components/responses/Bytes"},
                  "default": {"$ref": "#/components/responses/Error"}
                }
              }
            },
            "/v1/batches": {
              "get": {
                "summary": "List the key's batches of OpenAI's form, newest first.",
                "parameters": [
                  {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                  {"name": "after", "in": "query", "schema": {"type": "string"}}
                ],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              },
              "post": {
                "summary": "Make a batch of a file (OpenAI).",
                "requestBody": {"$ref": "#/components/requestBodies/Batch"},
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/batches/{id}": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Show a batch.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/batches/{id}/cancel": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "post": {
                "summary": "Cancel a batch.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/batches/{id}/results": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Read the results of a batch; with after, those that have ended since a mark.",
                "parameters": [{"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0}}],
                "responses": {"200": {"$ref": "#/components/responses/Lines"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/messages/batches": {
              "get": {
                "summary": "List the key's batches of Anthropic's form, newest first.",
                "parameters": [
                  {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
                  {"name": "after_id", "in": "query", "schema": {"type": "string"}},
                  {"name": "before_id", "in": "query", "schema": {"type": "string"}}
                ],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              },
              "post": {
                "summary": "Make a batch of requests (Anthropic).",
                "requestBody": {"$ref": "#/components/requestBodies/MessageBatch"},
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/messages/batches/{id}": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Show a batch.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              },
              "delete": {
                "summary": "Delete a batch that has ended.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/messages/batches/{id}/cancel": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "post": {
                "summary": "Cancel a batch.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/v1/messages/batches/{id}/results": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Read the results of a batch that has ended.",
                "responses": {"200": {"$ref": "#/components/responses/Lines"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/api/jobs": {
              "get": {
                "summary": "List jobs, newest first.",
                "parameters": [
                  {"name": "state", "in": "query", "schema": {"type": "string"}},
                  {"name": "queue", "in": "query", "schema": {"type": "string"}},
                  {"name": "model", "in": "query", "schema": {"type": "string"}},
                  {"name": "batch", "in": "query", "schema": {"type": "string"}},
                  {"name": "tag", "in": "query", "schema": {"type": "string"}},
                  {"name": "metadata", "in": "query", "schema": {"type": "string"}},
                  {"name": "error_class", "in": "query", "schema": {"type": "string"}},
                  {"name": "since", "in": "query", "schema": {"type": "string"}},
                  {"name": "until", "in": "query", "schema": {"type": "string"}},
                  {"name": "search", "in": "query", "schema": {"type": "string"}},
                  {"name": "run", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                  {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                  {"name": "before", "in": "query", "schema": {"type": "integer", "minimum": 1}}
                ],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              },
              "post": {
                "summary": "Add a job; with wait=30s, answer once it has ended.",
                "parameters": [{"name": "wait", "in": "query", "schema": {"type": "string"}}],
                "requestBody": {"$ref": "#/components/requestBodies/Job"},
                "responses": {
                  "200": {"$ref": "#/components/responses/Object"}, "201": {"$ref": "#/components/responses/Object"},
                  "202": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}
                }
              }
            },
            "/api/jobs/{id}": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Show a job; with wait=30s, once it has ended.",
                "parameters": [{"name": "wait", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/api/jobs/{id}/cancel": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "post": {
                "summary": "Cancel a job.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/api/jobs/{id}/retry": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "post": {
                "summary": "Retry a cancelled or failed job, or ask a completed one anew.",
                "parameters": [{"name": "again", "in": "query", "schema": {"type": "boolean"}}],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/api/runs": {
              "get": {
                "summary": "List runs of pipelines, newest first.",
                "parameters": [
                  {"name": "state", "in": "query", "schema": {"type": "string"}},
                  {"name": "name", "in": "query", "schema": {"type": "string"}},
                  {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                  {"name": "before", "in": "query", "schema": {"type": "integer", "minimum": 1}}
                ],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/api/runs/{id}": {
              "parameters": [{"$ref": "#/components/parameters/ID"}],
              "get": {
                "summary": "Show a run.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/api/stats": {
              "get": {
                "summary": "Count jobs, tokens and costs.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/api/keys/self": {
              "get": {
                "summary": "Show the key that is sent, and what it has used of its limits.",
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/health": {
              "get": {
                "summary": "Whether the process runs.",
                "security": [],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/metrics": {
              "get": {
                "summary": "Figures for monitoring, in Prometheus' text format.",
                "responses": {
                  "200": {"description": "The figures.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "default": {"$ref": "#/components/responses/Error"}
                }
              }
            },
            "/ready": {
              "get": {
                "summary": "Whether calls are taken.",
                "security": [],
                "responses": {
                  "200": {"$ref": "#/components/responses/Object"}, "503": {"$ref": "#/components/responses/Object"},
                  "default": {"$ref": "#/components/responses/Error"}
                }
              }
            },
            "/openapi.json": {
              "get": {
                "summary": "This description.",
                "security": [],
                "responses": {"200": {"$ref": "#/components/responses/Object"}, "default": {"$ref": "#/components/responses/Error"}}
              }
            },
            "/": {
              "head": {"summary": "Whether there is a server.", "security": [], "responses": {"default": {"description": "There is."}}}
            },
            "/api/hello": {
              "head": {"summary": "Whether there is a server.", "security": [], "responses": {"default": {"description": "There is."}}}
            }
          },
          "components": \(components)
        }
        """
}
