"""What an unmodified OpenAI SDK does through the gateway."""

import openai

import openai_calls  # noqa: F401
import openai_durable  # noqa: F401
import openai_files  # noqa: F401
import openai_responses  # noqa: F401
from openai_client import checks

if __name__ == "__main__":
    checks.main(f"openai {openai.__version__}")
