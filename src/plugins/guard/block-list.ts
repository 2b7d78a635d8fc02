import type { Plugin } from '../../protocol/ports.js'
import { fold } from './fold.js'
import { bad, checkGuard, checkSide, Verdicts, type GuardOptions, type GuardSide } from './guard.js'
import { looking } from './look.js'
import { checkedPattern, Pattern, type BlockPattern } from './patterns.js'
import { allOf, type Rule } from './scan.js'
import type { Role } from './texts.js'
import { Words } from './words.js'

/** What {@link blockList} takes. */
export interface BlockListOptions extends GuardOptions {
  /** Words and phrases, found as whole words whatever their case, accents, spaces and unseen characters. At most 10,000 of at most 200 characters. */
  readonly words?: readonly string[]
  readonly patterns?: readonly BlockPattern[]
  /** Which texts are looked at. Default: `both`. */
  readonly in?: GuardSide
  /** Of a request only the messages of these roles. Default: all messages, the tools and the options of dialects. */
  readonly roles?: readonly Role[]
}

const MAX_WORDS = 10_000
const MAX_CHARS = 200
const MAX_PATTERNS = 100
const ROLES = new Set<unknown>(['system', 'developer', 'user', 'assistant', 'tool'] satisfies Role[])

function wordsRule(words: readonly unknown[]): Rule {
  for (const [at, word] of words.entries()) {
    if (typeof word !== 'string' || word.length > MAX_CHARS || fold(word) === '') throw bad(`blockList(): words[${at}] must be a text of 1 to ${MAX_CHARS} characters.`)
  }
  return new Words(words as readonly string[])
}

function listOf(given: unknown, what: string, most: number): readonly unknown[] {
  if (given === undefined) return []
  if (!Array.isArray(given) || given.length > most) throw bad(`blockList(): ${what} must be a list of at most ${most.toLocaleString('en')}.`)
  return given
}

/**
 * Refuses a request or an answer that holds a word, a phrase or a pattern. A stream holds back what could still become one, so
 * that no part of a match of at most its length reaches the caller. Throws `invalid_config`; refuses with `refused`.
 *
 * @example
 * import { Gateway } from 'sallyport'
 * import { blockList } from 'sallyport/guard'
 * import { scripted } from 'sallyport/testing'
 *
 * const gateway = new Gateway({
 *   routes: { smart: scripted('Hello') },
 *   plugins: [blockList({ words: ['project bluebird'], patterns: [{ pattern: /\bINT-\d{4,8}\b/, maxLength: 12 }] })],
 * })
 */
export function blockList(options: BlockListOptions): Plugin {
  checkGuard(options, 'blockList', ['words', 'patterns', 'in', 'roles'])
  const { in: side = 'both' } = options
  checkSide(side, 'blockList')
  const words = listOf(options.words, 'words', MAX_WORDS)
  const patterns = listOf(options.patterns, 'patterns', MAX_PATTERNS).map((pattern, at) => checkedPattern(pattern, `blockList(): patterns[${at}]`))
  if (words.length + patterns.length === 0) throw bad('blockList() blocks nothing: give words or patterns.')
  const roles = options.roles === undefined ? undefined : listOf(options.roles, 'roles', ROLES.size)
  if (roles?.length === 0 || roles?.some(role => !ROLES.has(role)) === true) throw bad(`blockList(): roles must be some of ${[...ROLES].join(', ')}.`)
  const rule = allOf([...(words.length > 0 ? [wordsRule(words)] : []), ...patterns.map(pattern => new Pattern(pattern))])
  return looking(rule, side, new Verdicts('blockList', options), roles === undefined ? undefined : new Set(roles as readonly Role[]))
}
