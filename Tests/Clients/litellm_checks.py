"""What LiteLLM's SDK does through the gateway, by either API."""

import os
from importlib.metadata import version

# No list of prices from the network.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

from checks import Checks, Script, equal, raises

checks = Checks()
litellm.suppress_debug_info = True


def ask(context, script, form, **options):
    name, base = {"openai": ("openai/scripted", context.gateway + "/v1"), "anthropic": ("anthropic/claude-scripted", context.gateway)}[form]
    return litellm.completion(model=name, api_base=base, api_key=context.key, max_tokens=100,
                              messages=[{"role": "user", "content": str(script)}], **options)


def each_form(name):
    def add(function):
        for form in ("openai", "anthropic"):
            checks.check(f"{name}, {form}")(lambda context, form=form: function(context, form))
        return function

    return add


@each_form("completion")
def completion(context, form):
    equal(ask(context, Script(), form).choices[0].message.content, "Hello")


@each_form("stream")
def stream(context, form):
    chunks = list(ask(context, Script(), form, stream=True))
    equal("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), "Hello")


@each_form("a provider's 400")
def refused(context, form):
    script = Script(fail={"times": -1, "status": 400, "message": "No."})
    raises(litellm.BadRequestError, lambda: ask(context, script, form))
    equal(context.upstream.count(script.id), 1, "the number of calls")


@checks.check("embedding")
def embedding(context):
    name = "openai/scripted" if context.direct else "openai/up/scripted"
    answer = litellm.embedding(model=name, api_base=context.gateway + "/v1", api_key=context.key, input=["a"])
    equal(answer.data[0]["embedding"], [0.25, -0.5, 1.0])


if __name__ == "__main__":
    checks.main(f"litellm {version('litellm')}")
