/**
 * Which row of quirks a server has, by the row's name; the rest are plain, or local where their address is. Rows stand in
 * src/providers/openai/quirk-rows.ts. Reasoning words are those of the vendors' own documents, as models.dev quotes them.
 */
export const QUIRKS = {
  openai: ['openai'],
  groq: ['groq'],
  cerebras: ['cerebras'],
  deepseek: ['deepseek'],
  xai: ['xai'],
  perplexity: ['perplexity'],
  agent: ['perplexity-agent'],
  openrouter: ['openrouter'],
  together: ['togetherai'],
  fireworks: ['fireworks-ai'],
  moonshot: ['moonshotai', 'moonshotai-cn'],
  minimax: ['minimax', 'minimax-cn'],
  zai: ['zai', 'zai-coding-plan', 'zhipuai', 'zhipuai-coding-plan'],
  thinking: ['bytedance-ark', 'xiaomi', 'xiaomi-token-plan-ams', 'xiaomi-token-plan-cn', 'xiaomi-token-plan-sgp', 'tencent-coding-plan'],
  tokenhub: ['tencent-tokenhub'],
  toggle: ['abliteration-ai', 'mixlayer'],
  alibaba: ['alibaba', 'alibaba-cn', 'alibaba-coding-plan', 'alibaba-coding-plan-cn', 'alibaba-token-plan', 'alibaba-token-plan-cn'],
  siliconflow: ['siliconflow', 'siliconflow-cn'],
  novita: ['novita-ai'],
  template: ['nvidia', 'vllm', 'sglang', 'wandb', 'vultr', 'friendli', 'nearai', 'lilac', 'neuralwatt', 'atomic-chat'],
  baseten: ['baseten'],
  ollama: ['ollama', 'ollama-cloud'],
  silent: ['github-models', 'github-models-legacy', 'llama', 'poe', 'v0', 'morph'],
  text: ['publicai'],
  sarvam: ['sarvam'],
  google: ['google-openai'],
  claude: ['anthropic-openai-compat'],
  snowflake: ['snowflake-cortex', 'snowflake-cortex-v1'],
  upstage: ['upstage'],
  stepfun: ['stepfun', 'stepfun-ai'],
  venice: ['venice'],
  vercel: ['vercel'],
  router: ['aihubmix', 'zenmux'],
  kilo: ['kilo'],
  requesty: ['requesty'],
  helicone: ['helicone'],
  auriko: ['auriko'],
  six: ['huggingface', 'nano-gpt'],
  five: ['digitalocean', 'wafer.ai'],
  four: ['berget', 'crof', 'hpc-ai', 'umans-ai', 'umans-ai-coding-plan', 'scaleway', 'vivgrid', 'jiekou'],
  three: ['nebius', 'frogbot', 'anyapi', 'qiniu-ai', 'inception'],
}

/** Servers whose own dialect is another and that have an address of this one too. */
export const ALSO = { minimax: 'https://api.minimax.io/v1', 'minimax-cn': 'https://api.minimaxi.com/v1' }

/** What no model of a server can do; a deployment that is known not to do a thing is left out of calls that ask for it. */
export const LACKS = { perplexity: ['tools'], publicai: ['images', 'files', 'audio'] }

/** What a row of quirks cannot say, for the page of providers. */
export const NOTES = {
  openrouter: 'send `HTTP-Referer` and `X-Title` in `headers`; routing as `providerOptions: { openrouter: { provider } }`',
  minimax: '`anthropic(model, { baseUrl: \'https://api.minimax.io/anthropic/v1\' })` is the wire its maker prefers',
  'minimax-cn': '`anthropic(model, { baseUrl: \'https://api.minimaxi.com/anthropic/v1\' })` is the wire its maker prefers',
  togetherai: '`api.together.ai` is the same server',
  'fireworks-ai': 'models are `accounts/fireworks/models/...`',
  huggingface: 'a model may name its host: `model:host`',
  'github-copilot': 'needs a short-lived token and the headers of an editor, in `headers`',
  'snowflake-cortex': 'the key is a programmatic access token',
  'cloudflare-ai-gateway': 'models are `provider/model`',
  databricks: '`host` is that of the workspace',
  zai: 'a prompt that is too long is cut without a word',
  zhipuai: 'a prompt that is too long is cut without a word',
  ollama: 'a prompt that is too long is cut without a word; the context cannot be set over this wire',
  lmstudio: 'the first token waits while a model loads',
  vllm: 'tools need its tool parser',
  llamacpp: 'tools need `--jinja`',
  jina: 'embeddings and reranking; it has no chat',
  voyage: 'embeddings and reranking; it has no chat',
  helicone: 'models are `provider/model`',
  vercel: 'models are `provider/model`',
  requesty: 'models are `provider/model`',
  zenmux: 'models are `provider/model`',
}
