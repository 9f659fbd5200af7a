"""The shapes of OpenAI's Responses API, for the scripted upstream."""

import time


def response(identifier, output, status="completed"):
    finished = status == "completed"
    usage = {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 2,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 7}
    return {"id": "resp_" + identifier, "object": "response", "created_at": int(time.time()), "status": status, "error": None,
            "incomplete_details": None, "instructions": None, "metadata": {}, "model": "scripted", "output": output,
            "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": usage if finished else None, "scripted": True}


def item(identifier, pieces, tool, arguments):
    if tool:
        return {"type": "function_call", "id": "fc_" + identifier, "call_id": "call_" + identifier, "name": tool["name"],
                "arguments": arguments, "status": "completed"}
    return {"type": "message", "id": "msg_" + identifier, "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": "".join(pieces), "annotations": []}]}


def events(identifier, pieces, tool, arguments):
    """The events of a stream; a number stands before the piece of that index, "end" before the end."""
    whole = item(identifier, pieces, tool, arguments)
    place = {"item_id": whole["id"], "output_index": 0}
    begun = response(identifier, [], "in_progress")
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    if tool:
        yield "response.output_item.added", {"output_index": 0, "item": dict(whole, arguments="", status="in_progress")}
        for piece in (arguments[:4], arguments[4:]):
            yield "response.function_call_arguments.delta", {**place, "delta": piece}
        yield "response.function_call_arguments.done", {**place, "arguments": arguments, "name": tool["name"]}
    else:
        part = {**place, "content_index": 0}
        text = {"type": "output_text", "text": "", "annotations": []}
        yield "response.output_item.added", {"output_index": 0, "item": dict(whole, content=[], status="in_progress")}
        yield "response.content_part.added", {**part, "part": text}
        for index, piece in enumerate(pieces):
            yield index, None
            yield "response.output_text.delta", {**part, "delta": piece, "logprobs": []}
        yield "response.output_text.done", {**part, "text": "".join(pieces), "logprobs": []}
        yield "response.content_part.done", {**part, "part": dict(text, text="".join(pieces))}
    yield "response.output_item.done", {"output_index": 0, "item": whole}
    yield "end", None
    yield "response.completed", {"response": response(identifier, [whole])}
