/** Precision, recall and both F of counts; undefined where nothing was labelled and nothing found. */
export function scoresOf({ right, missed, wrong }) {
  const found = right + wrong
  const labelled = right + missed
  const precision = found === 0 ? undefined : right / found
  const recall = labelled === 0 ? undefined : right / labelled
  return { labelled, precision, recall, f1: f(1, { right, missed, wrong }), f2: f(2, { right, missed, wrong }) }
}

function f(beta, { right, missed, wrong }) {
  const square = beta * beta
  const below = (1 + square) * right + square * missed + wrong
  return below === 0 ? undefined : ((1 + square) * right) / below
}

export class Counts {
  right = 0
  missed = 0
  wrong = 0
  characters = 0
  leaked = 0

  add(other) {
    for (const key of ['right', 'missed', 'wrong', 'characters', 'leaked']) this[key] += other[key]
    return this
  }

  /** The same as plain data. */
  row() {
    return { ...scoresOf(this), right: this.right, missed: this.missed, wrong: this.wrong, leaked: this.characters === 0 ? undefined : this.leaked / this.characters }
  }
}

/** The same place: more than half of what both cover together is covered by both. */
export function samePlace(a, b) {
  const both = Math.min(a.end, b.end) - Math.max(a.start, b.start)
  return both > 0 && 2 * both > Math.max(a.end, b.end) - Math.min(a.start, b.start)
}

/** Units of the span that nothing found covers. */
export function uncovered({ start, end }, found) {
  let left = 0
  for (let at = start; at < end; at++) if (!found.some(finding => finding.start <= at && at < finding.end)) left++
  return left
}

export function quantile(values, share) {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export function median(values) {
  return quantile(values, 0.5)
}

/** What an error and its cause say, without a pattern or a text in it. */
export function short(error) {
  if (!(error instanceof Error)) return cut(String(error))
  return error.cause instanceof Error ? `${cut(error.message)} ${cut(error.cause.message)}` : cut(error.message)
}

function cut(words) {
  return words.length > 120 ? `${words.slice(0, 120)}...` : words
}
