"""Good bodies, and what becomes of them by chance."""

import copy

BODIES = {
    "/v1/chat/completions": {"model": "scripted", "temperature": 0.5, "max_tokens": 9, "stop": ["x"], "n": 1, "seed": 3, "metadata": {"a": "b"},
                             "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
                             "response_format": {"type": "text"}, "stream": False, "stream_options": None,
                             "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "x"}]}]},
    "/v1/messages": {"model": "claude-scripted", "max_tokens": 9, "system": [{"type": "text", "text": "s"}], "temperature": 1, "stop_sequences": ["x"],
                     "tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "auto"}, "stream": False,
                     "messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}]},
    "/v1/responses": {"model": "scripted", "instructions": "i", "max_output_tokens": 20, "store": True, "stream": False, "background": False,
                      "input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}], "metadata": {"a": "b"},
                      "text": {"format": {"type": "text"}}, "reasoning": {"effort": "low"}, "tools": []},
    "/v1/embeddings": {"model": "scripted", "input": ["a", "b"], "encoding_format": "float"},
    "/v1/messages/count_tokens": {"model": "claude-scripted", "messages": [{"role": "user", "content": "x"}]},
    "/v1/batches": {"input_file_id": "file-aq1", "endpoint": "/v1/chat/completions", "completion_window": "24h", "metadata": {"a": "b"}},
    "/v1/messages/batches": {"requests": [{"custom_id": "one", "params": {"model": "claude-scripted", "max_tokens": 9, "messages": []}}]},
    "/api/jobs": {"prompt": "x", "model": "up/scripted", "priority": 5, "tags": ["a"], "metadata": {"a": "b"}, "delay": "0s", "max_attempts": 1},
}
VALUES = [None, True, False, 0, -1, 1e308, 2**63, 2**64, -0.0, 1.5, "", "x", "\u0000", "\ud83d\ude00", "\u202e", "a" * 5000, [], {}, [[]], [None], {"": ""},
          {"type": "object"}, "NaN", [1, 2], ["x"] * 50, {"a": {"b": {"c": []}}}, "..", "*", "up/scripted", "absent"]


def places(value, path=()):
    """Every place inside a value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, path + (key,))


def mutated(value, chance):
    """The value with one to three changes."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        path = chance.choice(list(places(value))[1:] or [()])
        if not path:
            continue
        at_place = value
        for key in path[:-1]:
            at_place = at_place[key]
        change = chance.randrange(4)
        if change == 0:
            del at_place[path[-1]]
        elif change == 1 and isinstance(at_place, list):
            at_place.append(copy.deepcopy(at_place[path[-1]]))
        elif change == 2 and isinstance(at_place, dict):
            at_place[chance.choice(("extra", "stream", "n", "type", "__proto__", "x" * 300, "model", "\u0000"))] = copy.deepcopy(chance.choice(VALUES))
        else:
            at_place[path[-1]] = copy.deepcopy(chance.choice(VALUES))
    return value


def torn(data, chance):
    """The bytes with a part lost, doubled or replaced."""
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.randrange(1, 9))
    return data[:start] + chance.choice((b"", data[start:end] * 2, bytes(chance.randrange(256) for _ in range(4)), b'"', b"{", b"\\u", b"\xff")) + data[end:]
