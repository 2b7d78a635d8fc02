import type { EmbedLimits } from '../protocol/embed.js'
import type { Upstream } from '../protocol/ports.js'

/** How a scripted deployment embeds. */
export interface ScriptedEmbed extends Partial<EmbedLimits> {
  /** The vector of a text. Default: its length, the code of its first character, and 1. */
  readonly vector?: (text: string) => readonly number[]
}

const EMBED = new Set(['maxInputs', 'maxBytes', 'vector'])

/** What is wrong with it, or nothing. */
export function embedProblem(embed: object | undefined): string | undefined {
  if (embed === undefined) return undefined
  for (const [key, value] of Object.entries(embed)) {
    if (!EMBED.has(key)) return `embed has no "${key}". Known: ${[...EMBED].join(', ')}.`
    if (key === 'vector' ? typeof value !== 'function' : !(Number.isSafeInteger(value) && value > 0)) return `embed.${key} must be ${key === 'vector' ? 'a function of a text' : 'a whole number above 0'}.`
  }
  return undefined
}

/** The vectors it gives, and what it says of how much it takes. */
export function embedParts(embed: ScriptedEmbed | undefined): { readonly vector: (text: string) => readonly number[]; readonly verbs: Pick<Upstream, 'embeds'> } {
  const { maxInputs = Number.MAX_SAFE_INTEGER, maxBytes, vector = measured } = embed ?? {}
  return { vector, verbs: embed === undefined ? {} : { embeds: () => ({ maxInputs, ...(maxBytes !== undefined && { maxBytes }) }) } }
}

function measured(text: string): readonly number[] {
  return [text.length, text.charCodeAt(0), 1]
}
