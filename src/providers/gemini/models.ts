/** What a model takes, told from its name. */
export interface Traits {
  /** `major * 100 + minor`; `undefined` where the name does not tell. */
  readonly version: number | undefined
  /** How it is told to think: not at all, with a budget of tokens, or by a level. */
  readonly thinking: 'none' | 'budget' | 'level'
  /** Bounds of the budget; `least` holds where thinking cannot be turned off. */
  readonly budget: { readonly least: number; readonly most: number; readonly canStop: boolean }
  readonly levels: readonly Level[]
  /** Takes JSON Schema as it is written, not a subset in words of its own. */
  readonly jsonSchema: boolean
  /** Takes functions and a schema for the answer in one request. */
  readonly toolsWithSchema: boolean
  /** Results of functions may hold images and files. */
  readonly mediaInResults: boolean
  /** Refuses a function call in the history that has no signature. */
  readonly signedCalls: boolean
  /** Has a place for instructions. */
  readonly system: boolean
}

export type Level = 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH'

const NUMBERED = /gemini-(?:[a-z]+-)?(\d{1,2})(?:\.(\d{1,2}))?(?!\d)/

function versionOf(name: string): number | undefined {
  const found = NUMBERED.exec(name)
  if (found !== null) return Number(found[1]) * 100 + Number(found[2] ?? 0)
  return /gemini-pro(?:-vision)?$/.test(name) ? 100 : undefined
}

function levelsOf(pro: boolean, version: number): readonly Level[] {
  if (!pro) return ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']
  return version === 300 ? ['LOW', 'HIGH'] : ['LOW', 'MEDIUM', 'HIGH']
}

function thinkingOf(name: string, version: number | undefined): Traits['thinking'] {
  // Every generation that thinks takes a budget, so an unknown name is asked that way.
  if (version === undefined) return 'budget'
  if (version >= 300) return 'level'
  return version >= 205 && !name.includes('-image') ? 'budget' : 'none'
}

/** Reads a model's name. A name that tells no version is taken for a model of today. */
export function traitsOf(model: string): Traits {
  const name = model.toLowerCase()
  const gemma = name.includes('gemma')
  const version = gemma ? undefined : versionOf(name)
  const pro = name.includes('pro')
  const lite = name.includes('lite')
  const recent = version === undefined || version >= 300
  return {
    version,
    thinking: gemma ? 'none' : thinkingOf(name, version),
    budget: { least: pro ? 128 : lite ? 512 : 1, most: pro ? 32_768 : 24_576, canStop: !pro },
    levels: levelsOf(pro, version ?? 0),
    jsonSchema: version === undefined || version >= 205,
    toolsWithSchema: recent && !gemma,
    mediaInResults: recent && !gemma,
    signedCalls: version !== undefined && version >= 300,
    system: !gemma && version !== 100,
  }
}
