/** Looks at one text as it comes. What it says of a match never holds the match. */
export interface Scan {
  /** Why the text must go no further, where the next piece shows it. */
  push(piece: string): string | undefined
  /** The same once nothing more comes. */
  end(): string | undefined
  /** Characters from the start of the text that nothing still to come can make part of a match. */
  readonly clear: number
}

/** What a guard looks for. */
export interface Rule {
  begin(): Scan
}

/** Why a text that is whole must go no further. */
export function findIn(rule: Rule, text: string): string | undefined {
  const scan = rule.begin()
  return scan.push(text) ?? scan.end()
}

class Both implements Scan {
  readonly #scans: readonly Scan[]

  constructor(scans: readonly Scan[]) {
    this.#scans = scans
  }

  push(piece: string): string | undefined {
    for (const scan of this.#scans) {
      const found = scan.push(piece)
      if (found !== undefined) return found
    }
    return undefined
  }

  end(): string | undefined {
    for (const scan of this.#scans) {
      const found = scan.end()
      if (found !== undefined) return found
    }
    return undefined
  }

  get clear(): number {
    return Math.min(...this.#scans.map(scan => scan.clear))
  }
}

/** All of them at once. */
export function allOf(rules: readonly Rule[]): Rule {
  const [only] = rules
  if (rules.length === 1 && only !== undefined) return only
  return { begin: () => new Both(rules.map(rule => rule.begin())) }
}
