// Talks to a gateway with the Vercel AI SDK and prints what came of it, as JSON.
//   node aisdk.mjs <folder with node_modules> <base URL> <key>
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, baseURL, apiKey] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(`${folder}/`).resolve(name)));
const { embedMany, generateText, Output, stepCountIs, streamText, tool } = await load("ai");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
const { z } = await load("zod");

const polyculture = createOpenAICompatible({ name: "polyculture", baseURL, apiKey, supportsStructuredOutputs: true });
const model = (name) => polyculture(name);
const weather = tool({
  description: "Tell the weather in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `Sunny in ${city}`,
});

async function plain() {
  const { text, usage, response } = await generateText({ model: model("auto"), prompt: "Hello" });
  return { text, tokens: usage.totalTokens, model: response.headers["x-polyculture-model"] };
}

async function stream() {
  const { textStream } = streamText({ model: model("chat"), prompt: "Hello" });
  let text = "";
  for await (const piece of textStream) text += piece;
  return text;
}

async function tools() {
  const { text, steps } = await generateText({
    model: model("code"),
    prompt: "What is the weather in Paris?",
    tools: { weather },
    stopWhen: stepCountIs(3),
  });
  const [{ toolCalls, toolResults }] = steps;
  return { input: toolCalls[0].input, output: toolResults[0].output, text };
}

async function streamedTools() {
  const { toolCalls } = streamText({ model: model("code"), prompt: "Weather?", tools: { weather } });
  return (await toolCalls)[0].input;
}

async function structured() {
  const output = Output.object({ schema: z.object({ answer: z.number() }) });
  return (await generateText({ model: model("auto"), prompt: "6 * 7?", output })).output;
}

async function embeddings() {
  const given = { model: polyculture.embeddingModel("embed"), values: ["a", "b"] };
  return (await embedMany(given)).embeddings.map((vector) => vector.length);
}

async function failure() {
  try {
    await generateText({ model: model("none"), prompt: "Hello", maxRetries: 0 });
  } catch (error) {
    return { name: error.name, status: error.statusCode };
  }
  return { name: "none" };
}

const scenarios = { plain, stream, tools, streamedTools, structured, embeddings, failure };
const results = {};
for (const [name, run] of Object.entries(scenarios)) results[name] = await run();
console.log(JSON.stringify(results));
