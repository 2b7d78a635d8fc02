import { GatewayError, type Code } from './errors.js'

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

const plain = (name: string) => name.replace(/[^a-z0-9]/gi, '').toLowerCase()

/** The known name a person most likely meant, if any is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const asked = plain(name.slice(0, 64))
  let best: string | undefined
  let bound = Math.max(2, Math.floor(asked.length / 3))
  for (const candidate of known) {
    const far = distance(asked, plain(candidate))
    if (far <= bound) {
      best = candidate
      bound = far - 1
    }
  }
  return best
}

/** Printable form of a name from outside: short, one line. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
}

/**
 * Throws where `value` has a key that is not in `known`, naming the nearest one.
 * @param hints what to say for names people bring from elsewhere (`max_tokens` -> `maxOutputTokens`).
 */
export function refuseUnknownKeys(
  value: object,
  known: ReadonlySet<string>,
  where: string,
  code: Code = 'invalid_config',
  hints?: ReadonlyMap<string, string>,
  otherwise?: string,
): void {
  // Not over a list of the keys: this is asked at each call.
  for (const key in value) {
    if (known.has(key) || !Object.hasOwn(value, key)) continue
    const better = hints?.get(key) ?? nearest(key, known)
    throw new GatewayError(code, `${where} has no option ${quoted(key)}. ${better === undefined ? (otherwise ?? `Known: ${[...known].sort().join(', ')}.`) : `Did you mean "${better}"?`}`)
  }
}
