import { CONTEXT, NEGATIVE, type Words } from './context-words.js'
import { Context } from './context.js'
import type { Alphabet } from './secrets-data.js'
import type { Finding } from './types.js'

/** Raised by a word before, raised by a word after, lowered by a word that speaks against a number. */
const BEFORE = 0.35
const AFTER = 0.2
const AGAINST = 0.4

/** Collects what the recognisers find and weighs each with its surroundings. */
export class Hits {
  readonly list: Finding[] = []
  /** Characters looked at beyond the one pass: what the tests count instead of time. */
  steps = 0
  /** Runs of characters that tokens are made of: within one, every further prefix has the same end. */
  readonly runs = new Map<Alphabet, { readonly start: number; readonly end: number }>()
  readonly text: string
  readonly #context: Context
  readonly #thresholds: ReadonlyMap<string, number>
  readonly #allow: ReadonlySet<string>

  readonly #wants: ReadonlySet<string>

  constructor(text: string, wants: ReadonlySet<string>, thresholds: ReadonlyMap<string, number>, allow: ReadonlySet<string>) {
    this.text = text
    this.#context = new Context(text)
    this.#wants = wants
    this.#thresholds = thresholds
    this.#allow = allow
  }

  /** Adds a match that needs no surroundings. Says whether it was taken. */
  add(type: string, start: number, end: number, score: number, reason: string): boolean {
    if (!this.#wants.has(type) || score < (this.#thresholds.get(type) ?? 0.5) - 1e-9) return false
    if (this.#allow.size > 0 && this.#allow.has(plain(this.text.slice(start, end)))) return false
    this.list.push({ type, start, end, score: Math.min(1, Math.round(score * 100) / 100), reason })
    return true
  }

  /** Adds a match whose score its surroundings raise or lower. */
  weigh(type: string, start: number, end: number, base: number, reason: string, words: Words = CONTEXT[type] ?? NONE): boolean {
    if (!this.#wants.has(type)) return false
    this.steps += 120
    const { before, after, against } = this.#context.around(start, end, words, NEGATIVE)
    const why = before || after ? `${reason}+context` : reason
    return this.add(type, start, end, base + (before ? BEFORE : after ? AFTER : 0) - (against ? AGAINST : 0), why)
  }

  /** The same without words against: for what the user's own pattern found. */
  weighPlain(type: string, start: number, end: number, base: number, words: Words): boolean {
    const good = words.size > 0 && this.near(start, end, words)
    return this.add(type, start, end, base + (good ? BEFORE : 0), good ? 'pattern+context' : 'pattern')
  }

  /** Whether a word of `words` stands before or after. */
  near(start: number, end: number, words: Words): boolean {
    this.steps += 120
    const { before, after } = this.#context.around(start, end, words, NONE)
    return before || after
  }
}

const NONE: Words = new Set<string>()

/** The form in which values of `allow` are compared. */
export const plain = (value: string): string => value.replace(/\s+/g, ' ').trim().toLowerCase()
