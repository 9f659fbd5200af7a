"""The OpenAI SDK as the checks use it."""

import openai
from pydantic import BaseModel

from checks import Checks

checks = Checks()
TARGETS = {"same form": "up/scripted", "other form": "up-anthropic/claude-scripted"}


def client(context, **options):
    options.setdefault("api_key", context.key)
    options.setdefault("base_url", context.gateway + "/v1")
    return openai.OpenAI(**options)


def model(context, form="same form"):
    return "scripted" if context.direct else TARGETS[form]


def both_forms(name, **options):
    """A check over a provider of the same form and, translated, over one of the other."""

    def add(function):
        for form in TARGETS:
            def body(context, form=form):
                if form == "other form":
                    context.needs_gateway()
                return function(context, model(context, form))

            checks.check(f"{name}, {form}", **options)(body)
        return function

    return add


def ask(context, script, name=None, sdk=None, **options):
    sdk = sdk or client(context)
    return sdk.chat.completions.create(
        model=name or model(context), messages=[{"role": "user", "content": str(script)}], **options)


class Weather(BaseModel):
    city: str
    days: int


def weather_tool():
    return openai.pydantic_function_tool(Weather, name="weather")
