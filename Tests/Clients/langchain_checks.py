"""What LangChain's ChatOpenAI and OpenAIEmbeddings do through the gateway."""

from importlib.metadata import version

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from checks import Checks, Script, equal, expect

checks = Checks()


class Weather(BaseModel):
    """Which weather is meant."""

    city: str
    days: int


def chat(context, **options):
    return ChatOpenAI(model="scripted", base_url=context.gateway + "/v1", api_key=context.key, **options)


@checks.check("invoke")
def invoke(context):
    answer = chat(context).invoke(str(Script()))
    equal(answer.content, "Hello")
    equal(answer.usage_metadata["total_tokens"], 7, "total_tokens")


@checks.check("stream")
def stream(context):
    chunks = list(chat(context, stream_usage=True).stream(str(Script())))
    equal("".join(chunk.content for chunk in chunks), "Hello")
    expect(any(chunk.usage_metadata for chunk in chunks), "usage is missing")


@checks.check("a tool")
def with_tool(context):
    @tool
    def weather(city: str, days: int) -> str:
        """The weather."""
        return "rain"

    answer = chat(context).bind_tools([weather]).invoke(str(Script(tool={"name": "weather", "arguments": {"city": "Bonn", "days": 3}})))
    equal([(call["name"], call["args"]) for call in answer.tool_calls], [("weather", {"city": "Bonn", "days": 3})])


@checks.check("structured output")
def structured(context):
    asked = chat(context).with_structured_output(Weather, method="json_schema")
    equal(asked.invoke(str(Script(text=['{"city":"Bonn",', '"days":3}']))), Weather(city="Bonn", days=3))


@checks.check("a batch of requests")
def batch(context):
    equal([answer.content for answer in chat(context).batch([str(Script()) for _ in range(8)])], ["Hello"] * 8)


@checks.check("embeddings")
def embeddings(context):
    name = "scripted" if context.direct else "up/scripted"
    asked = OpenAIEmbeddings(model=name, base_url=context.gateway + "/v1", api_key=context.key, check_embedding_ctx_length=False)
    equal(asked.embed_documents(["a", "bcd"]), [[0.25, -0.5, 1.0], [0.25, -0.5, 3.0]])


if __name__ == "__main__":
    checks.main(f"langchain-openai {version('langchain-openai')}")
