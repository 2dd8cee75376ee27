# Python's `openai` against a running server: prints what came back as JSON, for openai-client.long.test.mjs, which says what it must be.
# Usage: python openai-client.py http://127.0.0.1:PORT/v1 MODEL
import asyncio
import json
import sys
from typing import Literal

import openai
from pydantic import BaseModel

base_url, model = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)
asked = {"model": model, "temperature": 0}
messages = [{"role": "user", "content": "ab a"}]


class City(BaseModel):
    city: Literal["ab", "b"]


schema = {
    "type": "object",
    "properties": {"city": {"enum": ["ab", "b"]}},
    "required": ["city"],
    "additionalProperties": False,
}
tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}


def chat(**more):
    return client.chat.completions.create(messages=messages, **{**asked, "max_tokens": 8, **more})


def streamed():
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return {"text": text, "usage": chunks[-1].usage.completion_tokens}


def called():
    choice = chat(tools=[tool], tool_choice="required", max_tokens=300).choices[0]
    calls = choice.message.tool_calls
    results = [{"role": "tool", "tool_call_id": call.id, "content": "rain"} for call in calls]
    turns = [*messages, choice.message, *results]
    after = client.chat.completions.create(messages=turns, max_tokens=4, **asked)
    return {"arguments": [json.loads(call.function.arguments) for call in calls], "next": after.choices[0].finish_reason}


def parsed():
    choices = client.chat.completions.parse(messages=messages, response_format=City, max_tokens=400, seed=3, model=model).choices
    return choices[0].message.parsed.city


def responded():
    with client.responses.stream(model=model, input="ab a", temperature=0, max_output_tokens=8) as stream:
        events = list(stream)
    whole = client.responses.create(model=model, input="ab a", temperature=0, max_output_tokens=8)
    pieces = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    return {"text": whole.output_text, "pieces": pieces, "numbers": [event.sequence_number for event in events]}


def failed(**more):
    try:
        chat(**more)
    except openai.APIStatusError as error:
        return [type(error).__name__, error.code, error.param]
    return None


async def aborted():
    own = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
    stream = await own.chat.completions.create(messages=messages, stream=True, max_tokens=1500, **asked)
    count = 0
    async for _ in stream:
        count += 1
        if count == 3:
            break
    await stream.close()
    await own.close()
    return count


found = {
    "text": chat().choices[0].message.content,
    "stream": streamed(),
    "calls": called(),
    "parsed": parsed(),
    "response": responded(),
    "embedding": client.embeddings.create(model=model, input=["ab a", "b"]).data[0].embedding,
    "models": [one.id for one in client.models.list()],
    "unknown": failed(model="nobody"),
    "hot": failed(temperature=9),
    "aborted": asyncio.run(aborted()),
}
print(json.dumps(found))
