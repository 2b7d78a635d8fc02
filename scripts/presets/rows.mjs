import { readFileSync } from 'node:fs'
import { ALSO, QUIRKS } from './table.mjs'

/** The row of quirks of a server. */
function quirksOf(id, baseUrl) {
  for (const [name, ids] of Object.entries(QUIRKS)) if (ids.includes(id)) return name
  return isLocal(baseUrl) ? 'local' : 'plain'
}

function isLocal(baseUrl) {
  return /^http:\/\/(?:localhost|127\.0\.0\.1)[:/]/.test(baseUrl)
}

// A column names the key's variable, beside the settings of the address or the word "(none)".
function keyVariables(column) {
  const names = column.replace('(none)', '').split(/[,\s]+/).filter(Boolean)
  return names.filter(name => /(?:^|_)(?:KEY|TOKEN|PAT)(?:_|$)/.test(name))
}

const OWN_PREFIX = /^(?:cloudflare|databricks|snowflake|neon_ai_gateway)_/

/** The servers of a table (columns: id, name, base_url, env_var, protocol, source) that speak the dialect. */
export function readTable(path) {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n')
  const columns = head.split('\t')
  return lines
    .map(line => Object.fromEntries(line.split('\t').map((cell, i) => [columns[i], cell])))
    .filter(({ id, protocol }) => Object.hasOwn(ALSO, id) || /openai.*chat/.test(protocol))
    .map(({ id, name, base_url: url, env_var: column }) => {
      const baseUrl = (ALSO[id] ?? url).replace(/\$?\{([A-Za-z_]+)\}/g, (_, setting) => `{${setting.toLowerCase().replace(OWN_PREFIX, '')}}`)
      return { id, name, baseUrl, env: keyVariables(column), quirks: quirksOf(id, baseUrl) }
    })
}

/** A server as one row of presets-data.ts. */
export function pack({ id, baseUrl, env }, lacks) {
  const usual = `${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_API_KEY`
  const key = env.length === 0 ? '-' : env.join() === usual ? '' : env.join()
  return [id, baseUrl.replace(/^https:\/\//, '').replace(id, '*'), ...(key !== '' || lacks !== undefined ? [key || '='] : []), ...(lacks === undefined ? [] : [lacks.join()])].join(' ')
}
