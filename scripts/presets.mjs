// Writes src/providers/presets-data.ts from a table of OpenAI-compatible servers.
// Use: node scripts/presets.mjs <providers.tsv>   (columns: id, name, base_url, env_var, protocol, source)
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Which row of quirks a server has; the rest are plain, or local where their address is.
const QUIRKS = {
  openai: ['openai'],
  groq: ['groq'],
  cerebras: ['cerebras'],
  deepseek: ['deepseek'],
  xai: ['xai'],
  perplexity: ['perplexity', 'perplexity-agent'],
  openrouter: ['openrouter'],
  together: ['togetherai'],
  fireworks: ['fireworks-ai'],
  moonshot: ['moonshotai', 'moonshotai-cn'],
  zai: ['zai', 'zai-coding-plan', 'zhipuai', 'zhipuai-coding-plan'],
  thinking: ['bytedance-ark'],
  qwen: ['alibaba', 'alibaba-cn', 'alibaba-coding-plan', 'alibaba-coding-plan-cn', 'alibaba-token-plan', 'alibaba-token-plan-cn', 'siliconflow', 'siliconflow-cn', 'novita-ai'],
  template: ['nvidia', 'vllm', 'sglang', 'wandb', 'baseten', 'vultr'],
  ollama: ['ollama', 'ollama-cloud'],
  silent: ['github-models', 'github-models-legacy'],
  text: ['publicai'],
  sarvam: ['sarvam'],
  google: ['google-openai'],
}

function quirksOf(id, local) {
  for (const [name, ids] of Object.entries(QUIRKS)) if (ids.includes(id)) return name
  return local ? 'local' : ''
}

// A column names the key's variable, beside the settings of the address or the word "(none)".
function keyVariables(column) {
  const names = column.replace('(none)', '').split(/[,\s]+/).filter(Boolean)
  return names.filter(name => /(?:^|_)(?:KEY|TOKEN|PAT)(?:_|$)/.test(name))
}

function row({ id, base_url: url, env_var: column }) {
  const base = url.replace(/\$?\{([A-Za-z_]+)\}/g, (_, name) => `{${name.toLowerCase().replace(/^(?:cloudflare|databricks|snowflake|neon_ai_gateway)_/, '')}}`)
  const local = /^http:\/\/(?:localhost|127\.0\.0\.1)[:/]/.test(base)
  const variables = keyVariables(column)
  const usual = `${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_API_KEY`
  const env = variables.length === 0 ? '-' : variables.join() === usual ? '' : variables.join()
  const quirks = quirksOf(id, local)
  const cells = [id, base.replace(/^https:\/\//, ''), ...(env !== '' || quirks !== '' ? [env || '='] : []), ...(quirks === '' ? [] : [quirks])]
  return `  '${cells.join(' ')}',`
}

const [head = '', ...lines] = readFileSync(process.argv[2] ?? 'providers.tsv', 'utf8').trim().split('\n')
const columns = head.split('\t')
const rows = lines
  .map(line => Object.fromEntries(line.split('\t').map((cell, i) => [columns[i], cell])))
  .filter(({ protocol }) => /openai/.test(protocol) && /chat/.test(protocol))
  .map(row)

const text = `// Made by scripts/presets.mjs from a table whose sources are anomalyco/models.dev, vercel/ai, BerriAI/litellm, Portkey-AI/gateway and pydantic/pydantic-ai.
/**
 * A server a row: id, base URL ("https://" left out), variable of its key ("=" for ID_API_KEY, "-" for none), quirks.
 */
export const ROWS = [
${rows.join('\n')}
] as const
`
writeFileSync(join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'providers', 'presets-data.ts'), text)
