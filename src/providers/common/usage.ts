import { isObject } from '../../protocol/json.js'

/** The count at `key`: a finite number, 0 or more. */
export function countAt(value: unknown, key: string): number | undefined {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : undefined
}

const ORDINARY = new Set(['', 'default', 'auto', 'standard', 'on_demand'])

/** The word for how it was served; `undefined` where it was the ordinary way. */
export function tierOf(tier: unknown): string | undefined {
  return typeof tier === 'string' && !ORDINARY.has(tier) ? tier : undefined
}
