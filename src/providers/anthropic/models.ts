import type { Effort } from '../../protocol/request.js'

/** What a model takes, told from its name. */
export interface Traits {
  /** `major * 100 + minor`; `undefined` where the name is not one of the family. */
  readonly version: number | undefined
  /** How it is told to think: not at all, with a budget, adaptively, or either way. */
  readonly thinking: 'none' | 'budget' | 'either' | 'adaptive'
  /** Levels of `output_config.effort`; empty where the field is refused. */
  readonly efforts: readonly Effort[]
  /** `one`: temperature or top_p, not both. `none`: all of them are refused. */
  readonly sampling: 'all' | 'one' | 'none'
  /** Takes `output_config.format`, and `strict` on tools. */
  readonly jsonSchema: boolean
  /** Can be made to call a tool. */
  readonly forcedTool: boolean
  /** Can be told not to think. */
  readonly canStopThinking: boolean
  /** Takes `system` messages after the first turn. */
  readonly lateSystem: boolean
  /** `max_tokens` where the caller names none. */
  readonly maxTokens: number
}

const OLD_NAME = /claude-(\d{1,2})(?:[.-](\d{1,2}))?(?!\d)/
const NEW_NAME = /claude-([a-z]+)-(\d{1,2})(?:[.-](\d{1,2}))?(?!\d)/
const ALWAYS_THINKS = new Set(['fable', 'mythos'])

function parse(model: string): { family: string; version: number } | undefined {
  const name = model.toLowerCase()
  const fresh = NEW_NAME.exec(name)
  if (fresh !== null) return { family: fresh[1] ?? '', version: Number(fresh[2]) * 100 + Number(fresh[3] ?? 0) }
  const old = OLD_NAME.exec(name)
  return old === null ? undefined : { family: '', version: Number(old[1]) * 100 + Number(old[2] ?? 0) }
}

function effortsOf(family: string, version: number): readonly Effort[] {
  if (version >= 407) return ['low', 'medium', 'high', 'xhigh', 'max']
  if (version >= 406) return ['low', 'medium', 'high', 'max']
  return family === 'opus' && version >= 405 ? ['low', 'medium', 'high'] : []
}

function thinkingOf(version: number): Traits['thinking'] {
  if (version >= 407) return 'adaptive'
  if (version >= 406) return 'either'
  return version >= 307 ? 'budget' : 'none'
}

function maxTokensOf(version: number): number {
  if (version >= 400) return 32_000
  return version > 300 ? 8192 : 4096
}

/** Reads a model's name. Of a name outside the family nothing is assumed that another server would likely refuse. */
export function traitsOf(model: string): Traits {
  const parsed = parse(model)
  if (parsed === undefined) {
    return { version: undefined, thinking: 'budget', efforts: [], sampling: 'all', jsonSchema: true, forcedTool: true, canStopThinking: true, lateSystem: false, maxTokens: 32_000 }
  }
  const { family, version } = parsed
  const always = ALWAYS_THINKS.has(family)
  return {
    version,
    thinking: thinkingOf(version),
    efforts: effortsOf(family, version),
    sampling: version > 406 ? 'none' : version >= 400 ? 'one' : 'all',
    jsonSchema: version >= 405,
    forcedTool: !always,
    canStopThinking: !always,
    lateSystem: version > 406,
    maxTokens: maxTokensOf(version),
  }
}
