"""What transformers renders of chat templates: chat-templates.golden.json.

    python3 chat_templates.py FOLDER_OF_JINJA_FILES...

with transformers 5.24.0 and jinja2 3.1.6; twice gives the same bytes. Two kinds of templates: small ones written here, each for some of Jinja's
features, whose texts are stored; and published ones from the folders that are named, which are not stored: of their texts a hash and the length are.
What a template is given follows the rules of src/chat/messages.ts, found out by conversations of its own (habits), so that they are judged too.
"""
import hashlib
import json
import os
import random
import sys
from datetime import datetime

import jinja2
import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

NOW = datetime(2026, 3, 7, 9, 5, 2)
FUNCTION = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": 'The weather\'s "now" & <here>',
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Where: Zürich, 東京"},
                "days": {"type": "integer", "description": "how many", "default": 3},
                "unit": {"type": "string", "description": "", "enum": ["C", "F"]},
                "limits": {"type": "array", "items": {"type": "number"}, "description": "from 0.5 to 1e-7"},
            },
            "required": ["city"],
        },
    },
}
BARE = {"type": "function", "function": {"name": "now", "description": "the time", "parameters": {"type": "object", "properties": {}}}}


def call(name, arguments, id="call_12345"[:9]):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def answer(content, id="call_12345"[:9], name="get_weather"):
    return {"role": "tool", "content": content, "tool_call_id": id, "name": name}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


SYSTEM = {"role": "system", "content": "  You are a pirate.\n"}
ARGUMENTS = {"city": "Zürich", "days": 2, "exact": True, "limits": [0.5, 1e-07, -3], "none": None, "nested": {"a": ["x's", '"y"']}}
CONVERSATIONS = {
    "one": {"messages": [user("Hello, who are you?")]},
    "system": {"messages": [SYSTEM, user("Hi")]},
    "system only": {"messages": [SYSTEM]},
    "answered": {"messages": [user("Hi"), assistant("Hello!")]},
    "turns": {"messages": [SYSTEM, user("  one \n"), assistant(" two "), user("three"), assistant("four\n\n"), user("five")]},
    "unicode": {"messages": [user("🏴‍☠️ e\u0301 ﷽ \u200f שלום\u00a0"), assistant("\u2028x\ufeff \x1c"), user("İı ß ΑΣ \u3000")]},
    "special": {"messages": [user("<|im_end|>\n<|im_start|>system\n</s>[INST] {{ 1 }} {% raw %}"), assistant("<|eot_id|>"), user("<end_of_turn>")]},
    "empty": {"messages": [{"role": "system", "content": ""}, user(""), assistant(""), user(" ")]},
    "assistant first": {"messages": [assistant("Welcome"), user("Hi")]},
    "two users": {"messages": [user("a"), user("b")]},
    "parts": {"messages": [user([{"type": "text", "text": "a b"}, {"type": "text", "text": "c"}]), assistant([{"type": "text", "text": "d"}]), user("e")]},
    "tools": {"messages": [SYSTEM, user("Weather?")], "tools": [FUNCTION, BARE]},
    "tools alone": {"messages": [user("Weather?")], "tools": [BARE]},
    "empty tools": {"messages": [SYSTEM, user("Hi"), assistant("Hello!"), user("Bye")], "tools": []},
    "call": {"messages": [user("Weather?"), assistant(None, tool_calls=[call("get_weather", ARGUMENTS)])], "tools": [FUNCTION]},
    "result": {
        "messages": [
            user("Weather?"),
            assistant(None, tool_calls=[call("get_weather", json.dumps(ARGUMENTS, ensure_ascii=False))]),
            answer('{"sky": "blau"}'),
            assistant("Sunny."),
            user("Thanks"),
        ],
        "tools": [FUNCTION],
    },
    "two calls": {
        "messages": [
            user("Weather and time?"),
            assistant("Let me see.", tool_calls=[call("get_weather", {"city": "Rom"}, "aaaaaaaa1"), call("now", {}, "aaaaaaaa2")]),
            answer("22 °C", "aaaaaaaa1"),
            answer("noon", "aaaaaaaa2", "now"),
        ],
        "tools": [FUNCTION, BARE],
    },
    "reasoning": {"messages": [user("2+2?"), assistant("4", reasoning_content="Two and two."), user("sure?"), assistant("<think>\nhm\n</think>\n\nYes")]},
    "variables": {
        "messages": [SYSTEM, user("Now?")],
        "tools": [BARE],
        "variables": {"functions": '[{"name": "now"}]', "datetime": "2026-03-07", "date_string": "7 Mar", "enable_thinking": False, "documents_note": [1, "a"]},
    },
    "developer": {"messages": [{"role": "developer", "content": "Be brief."}, user("Hi")]},
    "arguments as written": {
        "messages": [
            user("Count."),
            assistant(None, tool_calls=[call("get_weather", '{"b": 3.0, "10": 1, "c": -0.0, "2": [1.50, 1e3, 1e21, 7], "\\u00e9": {"1": null, "0": "\\n\\"x"}, "b": -0}')]),
            answer("3"),
        ],
        "tools": [FUNCTION],
    },
}

# Small templates, each for some features; their texts are stored.
OWN = {
    "white space": "  {% if true %}\n  a\n  {% endif %}\n{%- if true -%}  b  {%- endif +%}\n c {%+ if true %} d {% endif %}\n\t{# note #}\n  {{ 1 }}\n {{- 2 -}} \n{% raw %}  {{ x }} {% y %}\n{% endraw %}\nend\n\n",
    "line ends": "a\r\n{% if true %}\r\nb\r{% endif %}\rc\r\n",
    "strings": r"""{{ 'a\n\t\x41\u00e9\101\'\\\d' + "b\"" 'c' }}|{{ "x" * 3 }}|{{ 'abc'[1] }}{{ 'abc'[-1] }}{{ 'abcdef'[1:-1:2] }}{{ 'abc'[::-1] }}{{ '🏴x'[1:] }}{{ '🏴x'|length }}""",
    "numbers": "{{ 1 }} {{ 1.0 }} {{ 1e16 }} {{ 0.00001 }} {{ 123456789.125 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 1_000 }} {{ -3|abs }} {{ '12'|int + 1 }} {{ ' 4.7 '|int }} {{ 'x'|int }} {{ '1e3'|float }} {{ true + 1 }}",
    "printed": "{{ none }} {{ true }} {{ [1, 'a', \"it's\", none, 1.5] }} {{ {'a': [1], 'b': {'c': \"q\\\"'\"}} }} {{ (1, 2) }} {{ [] }} {{ {} }} {{ ['\\n\\x00é\u200b🏴'] }} {{ undefined_name }}.",
    "json": "{{ {'a': 'é\"\\n\\x01\\x7f/<>&', 'b': [1, 2.5, none, true, {}, []]}|tojson }}\n{{ [1, {'a': [2]}]|tojson(indent=2) }}\n{{ {'b': 1, 'a': 'é🏴'}|tojson(sort_keys=true, ensure_ascii=true) }}\n{{ [1, 2]|tojson(separators=[',', ':']) }}",
    "operators": "{{ 1 ~ 2 + 'x' if false else 'y' }}{{ 'a' + 1 ~ 2 ~ 'b' }}{{ 1 + 2 == 3 and not false or false }}{{ 'a' in 'abc' }}{{ 'k' not in {'k': 1} }}{{ 1 in [1, 2] }}{{ 2 > 1 }}{{ 'b' >= 'a' }}{{ [1] + [2] }}{{ 1 == 1.0 }}{{ true == 1 }}{{ 'a' ~ 1 ~ none ~ missing }}{{ 2 * 3 ~ 'z' }}{{ not 1 == 2 }}{{ 'x' if missing }}{{ -2 ** 2 }}{{ [1, 2] == [1, 2] }}",
    "tests": "{% for x in [1, 1.5, 'a', true, none, [1], {'a': 1}, missing, (1, 2)] %}{{ x is defined }} {{ x is none }} {{ x is string }} {{ x is number }} {{ x is integer }} {{ x is float }} {{ x is boolean }} {{ x is mapping }} {{ x is iterable }} {{ x is sequence }} {{ x is true }} {{ x is not defined }}\n{% endfor %}{{ 3 is odd }} {{ 3 is even }} {{ 'a' is lower }} {{ 'A' is upper }} {{ range is callable }}",
    "loops": "{% for x in ['a', 'b', 'c'] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('x', 'y') }}{{ loop.changed(x) }};{% endfor %}{% for x in [] %}{% else %}none{% endfor %}{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }},{% endfor %}{% for x in range(10) if x % 2 == 0 %}{{ loop.index }}:{{ x }} {% if x == 4 %}{% continue %}{% endif %}{% if x == 6 %}{% break %}{% endif %}!{% endfor %}{% for c in 'né🏴' %}<{{ c }}>{% endfor %}{% for k in {'q': 1} %}{{ k }}{% endfor %}",
    "scopes": "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}{% set ns = namespace(n=0, s='') %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% set ns.s = ns.s ~ i %}{% endfor %}{{ ns.n }}{{ ns.s }}{% if true %}{% set y = 5 %}{% endif %}{{ y }}{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set block %} {{ a }} text {% endset %}[{{ block|trim }}]",
    "macros": "{% macro m(a, b='d', c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=3) }} {{ m(b=2, a=4) }}|{% macro outer() %}<{{ caller('in') }}>{% endmacro %}{% call(x) outer() %}{{ x }}!{% endcall %}{% set late = 'late' %}{% macro uses() %}{{ late }}{{ missing }}{% endmacro %}{{ uses() }}{% macro v() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ v(1, 2, k='x') }}{% filter upper %}shout {{ late }}{% endfilter %}",
    "filters": "{{ ' a '|trim }}{{ 'xxaxx'|trim('x') }}{{ 'aB c-d'|title }}{{ 'aBC'|capitalize }}{{ 'ß'|upper }}{{ 'ΑΣ'|lower }}{{ [1, 2, 3]|join('-') }}{{ [{'a': 1}, {'a': 2}]|map(attribute='a')|list }}{{ ['a', 'b']|map('upper')|join }}{{ [1, 2, 3]|select('odd')|list }}{{ [1, 2, 3]|reject('equalto', 2)|list }}{{ [{'r': 'u'}, {'r': 'a'}]|selectattr('r', 'equalto', 'u')|list }}{{ [{'r': 1}, {}]|rejectattr('r', 'defined')|list }}{{ missing|default('d') }}{{ ''|default('e', true) }}{{ 'abc'|first }}{{ [1, 2]|last }}{{ {'b': 1, 'a': 2}|dictsort }}{{ ['b', 'A', 'c']|sort }}{{ [1, 2, 1]|unique|list }}{{ [1, 2]|reverse|list }}{{ 'ab'|reverse }}{{ {'a': 1}|items|list }}{{ 'a\\nb\\n\\nc'|indent(2) }}{{ 'a\\nb'|indent(2, first=true) }}{{ 'a-b'|replace('-', '+') }}{{ [1, 2]|sum }}{{ [3, 1]|min }}{{ [3, 1]|max }}{{ 'abc'|string|length }}{{ 5|string + 'x' }}",
    "methods": "{{ ' a '.strip() }}{{ 'xax'.strip('x') }}{{ ' a'.lstrip() }}{{ 'a '.rstrip() + '|' }}{{ 'a,b,c'.split(',') }}{{ 'a,b,c'.split(',', 1) }}{{ ' a  b '.split() }}{{ ' a  b c '.split(none, 1) }}{{ 'a,b'.rsplit(',', 1) }}{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x', 'c')) }}{{ 'aab'.replace('a', 'b', 1) }}{{ 'ab'.replace('', '.') }}{{ 'a\\nb\\r\\nc'.splitlines() }}{{ 'ab'.upper() }}{{ 'abc'.find('c') }}{{ {'a': 1}.get('b', 2) }}{{ {'a': 1}.get('b') }}{{ {'a': 1}.keys()|list }}{{ {'a': 1}.values()|list }}{{ {'items': 1}['items'] }}{{ ','.join(['a', 'b']) }}{{ 'aXb'.lower() }}{{ 'abab'.count('ab') }}{{ 'prefix-x'.removeprefix('prefix-') }}{{ [1, 2, 1].count(1) }}{{ [1, 2].index(2) }}{{ 'a'.capitalize() }}",
    "safe": "{{ '<a>'|safe + \"'b' & <c>\" + {'d': 'e'}|tojson }}{{ 'x<' + '<y>'|safe }}{{ '<z>'|safe ~ '<' }}{{ '<'|e }}{{ ('<a>'|safe).upper() + '<' }}",
    "dates": "{{ strftime_now('%d %b %Y') }}|{{ strftime_now('%A, %B %d, %Y %H:%M:%S %I%p %y %j'[:-3]) }}",
    "messages": "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% if m.content is string %}{{ m.content | trim }}{% elif m.content is iterable %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}",
    "generation": "{% for m in messages %}<|{{ m.role }}|>\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|end|>{% endgeneration %}{% else %}{{ m.content }}<|end|>{% endif %}\n{% endfor %}",
    "strict": "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate: ' + m.role) }}{% endif %}[{{ m.content }}]{% endfor %}",
}


def normalised(messages, habits):
    out = []
    for message in messages:
        message = dict(message)
        content = message.get("content")
        if content is None:
            message.pop("content", None)
            if habits["noContent"] != "absent":
                message["content"] = None if habits["noContent"] == "null" else ""
        elif isinstance(content, list) and not habits["readsParts"]:
            message["content"] = "\n".join(part["text"] for part in content)
        if "reasoning_content" in message:
            message["thinking"] = message["reasoning_content"]
        calls = []
        for one in message.get("tool_calls", []):
            function = dict(one["function"])
            given = function["arguments"]
            if habits["argumentsAsText"]:
                function["arguments"] = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
            else:
                function["arguments"] = json.loads(given) if isinstance(given, str) else given
            calls.append({**one, "function": function})
        if calls:
            message["tool_calls"] = calls
        out.append(message)
    return out


def render(template, messages, tools, prompt, habits, bos="<s>", eos="</s>", variables={}):
    return template.render(
        messages=normalised(messages, habits),
        tools=tools,
        documents=None,
        add_generation_prompt=prompt,
        bos_token=bos,
        eos_token=eos,
        strftime_now=lambda pattern: NOW.strftime(pattern),
        **variables,
    )


def shows(template, messages, habits, texts, sign):
    probe = {"type": "object", "properties": {"cria_probe_key": {"type": "string", "description": ""}}, "required": []}
    tools = [{"type": "function", "function": {"name": "declared_tool", "description": "", "parameters": probe}}]
    try:
        text = render(template, messages, tools, False, habits, "", "")
    except Exception:
        return False
    return all(one in text for one in texts) and sign not in text


def find_habits(template):
    plain = {"readsParts": False, "argumentsAsText": False, "noContent": "absent"}
    parts = user([{"type": "text", "text": "cria-probe-question"}])
    reads = shows(template, [parts], {**plain, "readsParts": True}, ["cria-probe-question"], "'type'")
    plain["readsParts"] = reads

    def asked(habits, content, texts=("cria_probe_tool", "cria_probe_value"), sign="'cria_probe_key'"):
        made = assistant(content, tool_calls=[call("cria_probe_tool", {"cria_probe_key": "cria_probe_value"}, "callprobe")])
        result = {"role": "tool", "content": "cria-probe-result", "tool_call_id": "callprobe", "name": "cria_probe_tool"}
        return shows(template, [user("cria-probe-question"), made, result], habits, texts, sign)

    for as_text in (False, True):
        for way, content in (("absent", None), ("null", None), ("empty", None), ("absent", " ")):
            habits = {**plain, "argumentsAsText": as_text, "noContent": way}
            if asked(habits, content) and not (as_text and asked(habits, content, ['\\"cria_probe_key'], "\0")):
                return habits
    return plain


def outcome(template, conversation, prompt, habits, stored):
    try:
        text = render(template, conversation["messages"], conversation.get("tools"), prompt, habits, variables=conversation.get("variables", {}))
    except jinja2.exceptions.TemplateError as error:
        raised = type(error) is jinja2.exceptions.TemplateError
        return {"raises": str(error)} if raised else {"fails": True}
    except Exception:
        return {"fails": True}
    data = text.encode("utf-8", "surrogatepass")
    return {"text": text} if stored else {"sha256": hashlib.sha256(data).hexdigest()[:16], "length": len(data)}


def outcomes(source, stored):
    template = _compile_jinja_template(source)
    habits = find_habits(template)
    names = ["one"] if stored and "messages" not in source else CONVERSATIONS
    found = {name: [outcome(template, CONVERSATIONS[name], prompt, habits, stored) for prompt in (False, True)] for name in names}
    return {**({"source": source} if stored else {}), "habits": habits, "outcomes": found}


class Random:
    """Templates drawn at random, of expressions at most three operations deep."""

    TEXTS = ["'a'", "'Ab c'", "' x '", "'é🏴'", "''", "'a,b'", "'12'", "'<&>'", "m", "n", "t"]
    NUMBERS = ["0", "1", "-2", "3.5", "7", "i"]
    LISTS = ["[1,2,3]", "['b','a']", "[]", "l", "[[1],[2,'x']]", "(1,2)"]
    DICTS = ["{'a':1,'b':'x'}", "{}", "d"]
    GIVEN = {"m": "Hello\nwörld ", "n": "İß\u2028x", "t": "it's \"q\"", "i": 5, "l": ["x", 1, None], "d": {"items": 1, "é": [True, 2.5]}}

    def __init__(self, seed):
        self.random = random.Random(seed)

    def template(self):
        source = "{{ " + self.any(self.one([1, 2, 3])) + " }}"
        if self.random.random() < 0.3:
            body = "{{ z }}{{ loop.index }}{% if " + self.truth(1) + " %}{{ q }}{% endif %}\n"
            source = "{% set q = " + self.any(2) + " %}{% for z in " + self.list(1) + " %}" + body + "{% endfor %}" + source
        return source

    def one(self, choices):
        return self.random.choice(choices)

    def any(self, depth):
        return self.one([self.text, self.text, self.number, self.list, self.dict, self.truth])(depth)

    def filled(self, forms, leaves, depth):
        """A form with its letters replaced: T, N, L, D, B, A by expressions, C by a short text."""
        if depth <= 0:
            return self.one(leaves)
        kinds = {"T": self.text, "N": self.number, "L": self.list, "D": self.dict, "B": self.truth, "A": self.any}
        parts = self.one(forms).split("$")
        return parts[0] + "".join((self.text(0) if p[0] == "C" else kinds[p[0]](depth - 1)) + p[1:] for p in parts[1:])

    def text(self, depth):
        filters = ["trim", "upper", "lower", "title", "capitalize", "string", "reverse", "safe", "e", "indent(1)", "replace($C, $C)"]
        methods = ["strip()", "upper()", "lower()", "lstrip()", "rstrip()", "capitalize()"]
        forms = [f"($T|{name})" for name in filters] + [f"($T).{name}" for name in methods]
        forms += [f"($T)[{bounds}]" for bounds in ("0", "-1", "1:", "::-1", ":2", "1:-1", "::2")]
        forms += ["($T + $T)", "$T ~ $A", "($A|tojson)", "($A|string)", "($L|join($C))", "($T if $B else $T)", "($T * 2)"] * 3
        return self.filled(forms, self.TEXTS, depth)

    def number(self, depth):
        forms = [f"($N {sign} $N)" for sign in ("+", "-", "*", "//", "%", "/")]
        forms += ["($T|length)", "($L|length)", "($T|int)", "($N|abs)", "($T).count($C)", "($N|float)", "($T).find($C)", "(- $N)"]
        return self.filled(forms, self.NUMBERS, depth)

    def list(self, depth):
        forms = [f"($L|{name})" for name in ("list", "sort", "unique|list", "reverse|list", "map('upper')|list", "select('string')|list")]
        forms += [f"($D|{name})" for name in ("items|list", "list", "dictsort")]
        forms += ["($L + $L)", "($T).split()", "($T).split($C)", "($T).split($C,1)", "[$A, $A]", "($L)[1:]", "($L)[::-1]", "($T|list)", "($T).splitlines()"]
        return self.filled(forms, self.LISTS, depth)

    def dict(self, depth):
        return self.filled(["{'k': $A, $C: $A}"], self.DICTS, depth)

    def truth(self, depth):
        tests = ["string", "number", "mapping", "iterable", "sequence", "none", "defined", "boolean", "integer", "float", "lower", "upper"]
        forms = [f"($A is {name})" for name in tests] + ["($A == $A)", "($A != $A)", "(not $B)", "($B and $A)", "($B or $A)"] * 2
        forms += ["($N < $N)", "($N >= $N)", "($T in $T)", "($T in $L)", "($T in $D)", "($T).startswith($C)", "($T < $T)"]
        return self.filled(forms, ["true", "false", "none", "missing"], depth)


def drawn(count):
    draw = Random(2026)
    found = []
    while len(found) < count:
        source = draw.template()
        try:
            text = _compile_jinja_template(source).render(**json.loads(json.dumps(Random.GIVEN)))
        except Exception:
            text = None
        if text is None or (" at 0x" not in text and "generator" not in text and len(text) < 200):
            found.append([source, text])
    return found


def main():
    published = {}
    for folder in sys.argv[1:]:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".jinja"):
                with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
                    published[name] = outcomes(file.read(), False)
    golden = {
        "made": f"transformers {transformers.__version__}, jinja2 {jinja2.__version__}",
        "conversations": CONVERSATIONS,
        "own": {name: outcomes(source, True) for name, source in OWN.items()},
        "published": published,
        "random": {"given": Random.GIVEN, "templates": drawn(250)},
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chat-templates.golden.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(golden, file, ensure_ascii=True, indent=None, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
