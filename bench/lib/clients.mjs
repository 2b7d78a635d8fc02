import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const BENCH = new URL('../', import.meta.url)

/** `package`: what has to be installed in bench/node_modules. `built`: what has to be built. */
const CLIENTS = {
  fetch: { title: 'global fetch' },
  'node-http': { title: 'keep-alive node:http' },
  sallyport: { title: 'sallyport', built: '../dist/index.js' },
  governed: { title: 'sallyport + budget, limits', built: '../dist/index.js' },
  undici: { title: 'undici dispatch', package: 'undici' },
  openai: { title: 'openai', package: 'openai' },
  'ai-sdk': { title: 'ai + openai-compatible', package: 'ai' },
  langchain: { title: 'LangChain ChatOpenAI', package: '@langchain/openai' },
  'token-js': { title: 'token.js', package: 'token.js' },
}

export const NAMES = Object.keys(CLIENTS)
/** Those that need no install. */
export const OWN = NAMES.filter(name => CLIENTS[name].package === undefined)
/** Those that are held to the bars: with every gate on, and with budgets and limits on top. */
export const OURS = ['sallyport', 'governed']
/** What ratios are to, and what added wall time is over. */
export const FLOOR = 'fetch'
export const DIRECT = 'node-http'

export function file(path) {
  return fileURLToPath(new URL(path, BENCH))
}

export function needsInstall(names) {
  return names.some(name => CLIENTS[name].package !== undefined) && !existsSync(file('node_modules'))
}

/** The client with its version, and why it cannot run where it cannot. */
export function load(name) {
  const { title, package: needed, built } = CLIENTS[name]
  const client = { name, title, module: new URL(`clients/${name}.mjs`, BENCH).href }
  if (built !== undefined && !existsSync(file(built))) return { ...client, missing: 'not built: npm run build' }
  if (needed === undefined) return client
  const manifest = file(`node_modules/${needed}/package.json`)
  if (!existsSync(manifest)) return { ...client, missing: 'not installed: npm ci --prefix bench' }
  return { ...client, title: title.replace(/^\S+/, `$& ${JSON.parse(readFileSync(manifest, 'utf8')).version}`) }
}
