// Small templates that write tools, calls, results and reasoning as those of known families do, and leave out all else.
import { type ChatTemplate, parseChatTemplate } from "../chat/index.ts";

const chatml = (calls: string, tools: string) => `
{%- if tools %}<|im_start|>system
${tools}{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for m in messages %}
{%- if m.role == 'tool' %}<|im_start|>user
<tool_response>
{{ m.content }}
</tool_response><|im_end|>
{% else %}<|im_start|>{{ m.role }}
{{ m.content if m.content else '' }}
{%- for call in m.tool_calls %}${calls}{% endfor %}<|im_end|>
{% endif %}{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

const hermesCall =
  "{{ '\\n<tool_call>\\n{\"name\": \"' + call.function.name + '\", \"arguments\": ' }}{{ call.function.arguments | tojson }}{{ '}\\n</tool_call>' }}";

const hermesWords = 'Return calls as <tool_call>\n{"name": NAME, "arguments": ARGUMENTS}\n</tool_call>\n';

const qwen3 = chatml(hermesCall, hermesWords)
  .replace(
    "{{ m.content if m.content else '' }}",
    "{% if m.role == 'assistant' and m.reasoning_content %}<think>\n{{ m.reasoning_content.strip('\\n') }}\n</think>\n\n{% endif %}{{ m.content if m.content else '' }}",
  )
  .replace(
    /\{% endif %\}$/,
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
  );

const llama3 = `{{ bos_token }}
{%- if tools %}<|start_header_id|>system<|end_header_id|>

Environment: ipython
Respond with {"name": function name, "parameters": dictionary}.
{% for t in tools %}{{ t | tojson(indent=4) }}

{% endfor %}<|eot_id|>{% endif %}
{%- for m in messages %}
{%- if m.role == 'tool' %}<|start_header_id|>ipython<|end_header_id|>

{{ m.content | tojson }}<|eot_id|>
{%- elif m.tool_calls %}
{%- if m.tool_calls | length != 1 %}{{ raise_exception('only single calls') }}{% endif %}<|start_header_id|>assistant<|end_header_id|>

{{ '{"name": "' + m.tool_calls[0].function.name + '", "parameters": ' }}{{ m.tool_calls[0].function.arguments | tojson }}{{ '}<|eot_id|>' }}
{%- else %}<|start_header_id|>{{ m.role }}<|end_header_id|>

{{ m.content | trim }}<|eot_id|>
{%- endif %}{% endfor %}
{%- if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}`;

const mistralFrame = (calls: string) => `{{ bos_token }}
{%- for m in messages %}
{%- if m.role == 'user' %}
{%- if tools and loop.last %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}[INST]{{ m.content }}[/INST]
{%- elif m.tool_calls %}${calls}{{ eos_token }}
{%- elif m.role == 'assistant' %}{{ m.content + eos_token }}
{%- elif m.role == 'tool' %}
{%- if m.tool_call_id | length != 9 %}{{ raise_exception('ids have nine letters') }}{% endif %}[TOOL_RESULTS]{"content": {{ m.content | tojson }}, "call_id": "{{ m.tool_call_id }}"}[/TOOL_RESULTS]
{%- else %}{{ raise_exception('no such role') }}{% endif %}{% endfor %}`;

const mistralCall =
  "{{ (call.function | tojson)[:-1] + ', \"id\": \"' + call.id + '\"}' }}{% if call.id | length != 9 %}{{ raise_exception('ids have nine letters') }}{% endif %}";

const deepseek = `{{ bos_token }}{% if tools %}Tools: {{ tools | tojson }}

{% endif %}
{%- for m in messages %}
{%- if m.role == 'tool' %}<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>{{ m.content }}<｜tool▁output▁end｜><｜tool▁outputs▁end｜>
{%- elif m.role == 'assistant' %}<｜Assistant｜>
{%- if m.content %}{{ m.content.split('</think>')[-1] }}{% endif %}
{%- if m.tool_calls %}<｜tool▁calls▁begin｜>
{%- for call in m.tool_calls %}{{ '\\n' if not loop.first else '' }}<｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ call.function.name }}
\`\`\`json
{{ call.function.arguments | tojson }}
\`\`\`<｜tool▁call▁end｜>{% endfor %}<｜tool▁calls▁end｜>{% endif %}<｜end▁of▁sentence｜>
{%- else %}<｜User｜>{{ m.content }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}<｜Assistant｜><think>
{% endif %}`;

const granite = (calls: string) => `
{%- if tools %}<|start_of_role|>available_tools<|end_of_role|>{{ tools | tojson }}<|end_of_text|>
{% endif %}
{%- for m in messages %}<|start_of_role|>{{ m.role }}<|end_of_role|>{{ m.content if m.content else '' }}${calls}<|end_of_text|>
{% endfor %}
{%- if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}`;

const sources = {
  hermes: chatml(hermesCall, hermesWords),
  qwen3,
  "qwen3-coder": chatml(
    "{{ '\\n<tool_call>\\n<function=' + call.function.name + '>\\n' }}{% for key, value in call.function.arguments | items %}{{ '<parameter=' + key + '>\\n' }}{{ value if value is string else value | tojson }}{{ '\\n</parameter>\\n' }}{% endfor %}{{ '</function>\\n</tool_call>' }}",
    "",
  ),
  glm: chatml(
    "{{ '\\n<tool_call>' + call.function.name + '\\n' }}{% for key, value in call.function.arguments | items %}{{ '<arg_key>' + key + '</arg_key>\\n<arg_value>' }}{{ value if value is string else value | tojson }}{{ '</arg_value>\\n' }}{% endfor %}{{ '</tool_call>' }}",
    "",
  ),
  "llama-3": llama3,
  mistral: mistralFrame(`[TOOL_CALLS][{% for call in m.tool_calls %}${mistralCall}{{ ', ' if not loop.last else '' }}{% endfor %}]`),
  "mistral with names first": mistralFrame(
    "{% for call in m.tool_calls %}[TOOL_CALLS]{{ call.function.name }}[ARGS]{{ call.function.arguments | tojson }}{% endfor %}",
  ),
  "mistral with ids": mistralFrame(
    "{% for call in m.tool_calls %}[TOOL_CALLS]{{ call.function.name }}[CALL_ID]{{ call.id }}[ARGS]{{ call.function.arguments | tojson }}{% endfor %}",
  ),
  deepseek,
  functionary: chatml("<function={{ call.function.name }}>{{ call.function.arguments | tojson }}</function>", ""),
  granite: granite(
    "{% if m.tool_calls %}<|tool_call|>[{% for call in m.tool_calls %}{{ call.function | tojson }}{{ ', ' if not loop.last else '' }}{% endfor %}]{% endif %}",
  ),
  "granite that writes no calls": granite(""),
  "phi-4-mini": `{%- for m in messages %}<|{{ m.role }}|>{{ m.content }}{% if 'tools' in m and m.tools is not none %}<|tool|>{{ m.tools }}<|/tool|>{% endif %}<|end|>{% endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}`,
  smollm3: `{% if xml_tools %}<|im_start|>system
${hermesWords}{% for tool in xml_tools %}{{ tool | string }}
{% endfor %}<|im_end|>
{% endif %}
{%- for m in messages %}<|im_start|>{{ 'user' if m.role == 'tool' else m.role }}
{{ m.content if m.content else '' }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and not enable_thinking %}<think>

</think>
{% endif %}{% endif %}`,
  "without tools": `{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}<start_of_turn>{{ m.role }}
{{ m.content }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}`,
} as const;

/** Names of the templates. */
export type TemplateName = keyof typeof sources;

/** The templates by name. */
export const templates = Object.fromEntries(
  Object.entries(sources).map(([name, source]) => [name, parseChatTemplate(source, `the template ${name}`)]),
) as Record<TemplateName, ChatTemplate>;

/** Templates whose models call tools. */
export const callingTemplates = (Object.keys(sources) as TemplateName[]).filter((name) => name !== "without tools");
