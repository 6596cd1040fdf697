// Talks to a gateway with the official SDK and prints what came of it, as JSON.
//   node converse.mjs <folder with node_modules> <base URL> <key>
import { createRequire } from "node:module";

const [folder, baseURL, apiKey] = process.argv.slice(2);
const OpenAI = createRequire(`${folder}/`)("openai").default;
const client = new OpenAI({ apiKey, baseURL, maxRetries: 0, timeout: 30_000 });
const messages = [{ role: "user", content: "Hello" }];

async function plain() {
  const { data, response } = await client.chat.completions.create({ model: "auto", messages }).withResponse();
  const model = response.headers.get("x-polyculture-model");
  return { id: data.id, content: data.choices[0].message.content, usage: data.usage.total_tokens, model };
}

async function stream() {
  let content = "";
  const ids = new Set();
  for await (const event of await client.chat.completions.create({ model: "chat", messages, stream: true })) {
    ids.add(event.id);
    content += event.choices[0]?.delta?.content ?? "";
  }
  return { content, ids: [...ids] };
}

async function collected() {
  const runner = client.chat.completions.stream({ model: "chat", messages });
  return { content: await runner.finalContent() };
}

async function tools() {
  const weather = { type: "function", function: { name: "weather", parameters: { type: "object" } } };
  const answer = await client.chat.completions.create({ model: "auto", messages, tools: [weather] });
  return answer.choices[0].message.tool_calls[0].function;
}

async function responses() {
  const said = await client.responses.create({ model: "chat", input: "Hello" });
  const weather = { type: "function", name: "weather", parameters: { type: "object" }, strict: false };
  const [call] = (await client.responses.create({ model: "auto", input: "Weather?", tools: [weather] })).output;
  return { text: said.output_text, tool: [call.name, call.arguments] };
}

async function responsesStream() {
  let text = "";
  const kinds = new Set();
  for await (const event of await client.responses.create({ model: "chat", input: "Hello", stream: true })) {
    kinds.add(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  return { text, kinds: [...kinds] };
}

async function embeddings() {
  const answer = await client.embeddings.create({ model: "auto", input: ["a", "b"], encoding_format: "float" });
  return { count: answer.data.length, length: answer.data[0].embedding.length };
}

async function models() {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  return names;
}

async function left() {
  const answer = await client.chat.completions.create({ model: "chat", messages, stream: true });
  for await (const _ of answer) break;
  return { aborted: answer.controller.signal.aborted };
}

async function failure(work) {
  try {
    await work();
  } catch (error) {
    return { name: error.constructor.name, status: error.status ?? null, code: error.code ?? null, message: error.message };
  }
  return { name: "none" };
}

const ask = (model, options = {}) => () => client.chat.completions.create({ model, messages, ...options });
const other = new OpenAI({ apiKey: "pc-wrong", baseURL, maxRetries: 0 });

const scenarios = {
  plain,
  stream,
  collected,
  tools,
  responses,
  responsesStream,
  embeddings,
  models,
  left,
  unknown: () => failure(ask("none")),
  invalid: () => failure(ask("auto", { messages: [] })),
  unauthenticated: () => failure(() => other.models.list()),
  forbidden: () => failure(() => client.post("/../admin/v1/router/freeze", { body: {} })),
};

const results = {};
for (const [name, run] of Object.entries(scenarios)) results[name] = await run();
console.log(JSON.stringify(results));
