import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { ABILITIES } from './abilities.mjs'
import { NOTES } from './table.mjs'

export const PAGE = 'docs/providers.md'
const BEGIN = '<!-- presets: made by npm run presets -->'
const END = '<!-- /presets -->'

/** The presets and their quirks, out of the sources. */
async function load() {
  const contents = "export { presets } from './src/providers/presets.ts'; export { quirksNamed } from './src/providers/openai/quirk-rows.ts'"
  const { outputFiles } = await build({ stdin: { contents, resolveDir: process.cwd(), loader: 'ts' }, bundle: true, format: 'esm', write: false, platform: 'node', external: ['zod'], logLevel: 'silent' })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`)
}

const code = word => `\`${word}\``
const WORDS = { t: 'tools', i: 'images', j: 'JSON schema', r: 'reasoning', f: 'files', a: 'audio', e: 'embeddings' }
const STYLES = {
  none: 'no switch for reasoning', object: 'reasoning as `reasoning: {...}`', enabled: 'reasoning as `reasoning.enabled`', thinking: 'reasoning as `thinking.type`', enable_thinking: 'reasoning as `enable_thinking`',
  template: 'reasoning as `chat_template_kwargs.enable_thinking`', template_args: 'reasoning as `chat_template_args.enable_thinking`', toggle: 'reasoning as `thinking: true`', venice: 'reasoning off by `venice_parameters`',
}

const SAID = [
  quirks => STYLES[quirks.reasoning],
  ({ efforts }) => efforts && `efforts ${efforts.join(', ')}`,
  ({ off }) => off !== undefined && `${code(String(off))} for no reasoning`,
  ({ unsureOff }) => unsureOff && '`none` is not always heeded',
  ({ budget }) => budget && `a budget of ${budget.join(' to ')} tokens`,
  ({ streamedReasoning }) => streamedReasoning && 'reasons in streams only, which are then asked for',
  ({ replay }) => replay && (replay === 'always' ? 'reasoning goes back' : 'reasoning goes back in tool turns'),
  ({ maxTokens }) => maxTokens && code(maxTokens),
  ({ required, tools }) => required === null && tools !== false && 'a call cannot be required',
  ({ tools }) => tools === false && 'no tools',
  ({ output }) => output === 'json_object' && 'an answer schema goes into the prompt',
  ({ strict }) => strict === false && 'no `strict`',
  ({ stringContent }) => stringContent && 'text only',
  ({ alternate }) => alternate && 'user and assistant take turns',
  ({ unsupported }) => unsupported && `no ${unsupported.join(', ')}`,
  ({ authHeader }) => authHeader && `key in ${code(authHeader)}`,
  ({ cost }) => cost && 'reports its cost',
  ({ cacheControl }) => cacheControl && 'takes cache marks',
]

function row({ id, baseUrl, env }, quirks) {
  const can = [...(ABILITIES[id] ?? '')].map(letter => WORDS[letter]).join(', ')
  const differs = [...SAID.map(say => say(quirks)), NOTES[id]].filter(said => typeof said === 'string' && said !== '').join('; ')
  return `| ${code(id)} | ${code(baseUrl)} | ${env.map(code).join(', ')} | ${can} | ${differs} |`
}

/** The page with its table made anew. */
export async function pageWithPresets(page = readFileSync(PAGE, 'utf8')) {
  const { presets, quirksNamed } = await load()
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (after === undefined) throw new Error(`${PAGE} has no ${BEGIN} with ${END} behind it`)
  const rows = presets.map(preset => row(preset, quirksNamed(preset.id)))
  return `${before}${BEGIN}\n\n| preset | base URL | key | some model has | what differs |\n|---|---|---|---|---|\n${rows.join('\n')}\n\n${END}${after}`
}
