// Writes what is known of OpenAI-compatible servers: src/providers/presets-data.ts, src/providers/openai/quirk-presets.ts and
// the table in docs/providers.md.
// Use: npm run presets -- <providers.tsv>   (columns: id, name, base_url, env_var, protocol, source); without it only the page.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PAGE, pageWithPresets } from './presets/docs.mjs'
import { pack, readTable } from './presets/rows.mjs'
import { LACKS } from './presets/table.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function writeRows(servers) {
  const rows = servers.map(server => `  '${pack(server, LACKS[server.id])}',`)
  const groups = new Map()
  for (const { id, quirks } of servers) if (quirks !== 'plain') groups.set(quirks, [...(groups.get(quirks) ?? []), id])
  const users = [...groups].map(([name, ids]) => `  ${name}: '${ids.join(' ')}',`)
  writeFileSync(
    join(root, 'src/providers/presets-data.ts'),
    `// Made by scripts/presets.mjs from a table whose sources are anomalyco/models.dev, vercel/ai, BerriAI/litellm, Portkey-AI/gateway and pydantic/pydantic-ai.
/**
 * A server a row: id, base URL ("https://" left out, "*" for the id), variable of its key ("=" for ID_API_KEY, "-" for none), what none of its models can do.
 */
export const ROWS = [
${rows.join('\n')}
] as const
`,
  )
  writeFileSync(
    join(root, 'src/providers/openai/quirk-presets.ts'),
    `// Made by scripts/presets.mjs.
/** The servers that have each row of quirks. */
export const SERVERS = {
${users.join('\n')}
} as const
`,
  )
}

const [table] = process.argv.slice(2)
if (table !== undefined) writeRows(readTable(table))
process.chdir(root)
writeFileSync(PAGE, await pageWithPresets())
