import { DEFAULT_BARS, STRUCTURED } from '../types.mjs'

const share = value => `${(100 * value).toFixed(2)} %`
const score = value => value.toFixed(3)
const plain = digits => value => (value === Infinity ? 'too long' : value.toFixed(digits))

/**
 * `of` reads the figure of a run; `most` or `least` is the bar; `timed`: a busy machine may miss it, so that a tolerance holds for it; `held`: a bar
 * that is missed for a reason that docs/privacy.md gives, and what `--check` holds the figure to all the same.
 */
export const BARS = [
  { says: 'structured types: F2', least: 0.975, show: score, of: r => r.structured?.all.f2 },
  { says: 'structured types: F1', least: 0.975, show: score, of: r => r.structured?.all.f1 },
  { says: 'structured types: characters leaked', most: 0.015, show: share, of: r => r.structured?.all.leaked },
  ...STRUCTURED.map(type => ({ says: `${type}: F2`, least: DEFAULT_BARS[type], show: score, of: r => r.structured?.[type].f2 })),
  { says: 'SECRET: F2', least: DEFAULT_BARS.SECRET, show: score, of: r => r.secrets?.scores?.f2 },
  { says: 'national identifiers of Presidio known', most: 0, show: plain(0), of: r => r.coverage && r.coverage.missing.length, bar: 'all', shown: r => `${r.coverage.known} of ${r.coverage.of}` },
  { says: 'further national identifiers known', least: 20, show: plain(0), of: r => r.coverage?.further },
  { says: 'national identifiers asked for: F1', least: 0.985, show: score, of: r => r.targets?.all.national.f1 },
  { says: 'national identifiers: negatives flagged', most: 0.02, show: share, of: r => r.targets?.all.national.flagged },
  { says: 'secrets found beside a word', least: 0.96, show: share, of: r => r.secrets?.withWord.share },
  { says: 'secrets found without a word', least: 0.95, show: share, of: r => r.secrets?.without.share },
  { says: 'secret negatives flagged', most: 0.08, held: 0.1, show: share, of: r => r.secrets?.negatives?.share },
  { says: 'clean source: false hits by MB, ours', most: 10, show: plain(1), of: r => r.source?.own.perMb },
  { says: 'clean source: false hits by MB, packages', most: 10, show: plain(1), of: r => r.source?.installed.perMb },
  { says: 'clean source: cards, IBANs, SSNs', most: 0, show: plain(0), of: r => r.source && r.source.own.never + r.source.installed.never },
  { says: 'random digits flagged, everything on', most: 0.02, show: share, of: r => r.digits?.bar.share },
  { says: 'speed on prose, MB/s', least: 30, timed: true, show: plain(1), of: r => r.speed?.prose },
  { says: 'speed on code, MB/s', least: 30, timed: true, show: plain(1), of: r => r.speed?.code },
  { says: 'all national types, µs/KB', most: 60, timed: true, show: plain(1), of: r => r.speed?.nationalUsPerKb },
  { says: 'adversarial: growth exponent', most: 1.15, timed: true, show: plain(2), of: r => r.adversarial?.growth.value, shown: r => `${r.adversarial.growth.value.toFixed(2)} (${r.adversarial.growth.name})` },
  { says: 'adversarial: ms at 64 KB', most: 30, timed: true, show: plain(1), of: r => r.adversarial?.at64.value, shown: r => `${plain(1)(r.adversarial.at64.value)} (${r.adversarial.at64.name})` },
  { says: 'stream restore: differences', most: 0, show: plain(0), of: r => r.streams && r.streams.restore.different + r.streams.restore.wrong, shown: r => `${r.streams.restore.different + r.streams.restore.wrong} in ${r.streams.restore.streams}` },
  { says: 'stream redact: differences', most: 0, show: plain(0), of: r => r.streams?.redact.different, shown: r => `${r.streams.redact.different} in ${r.streams.redact.streams}` },
  // A plugin that does nothing makes no difference either.
  { says: 'stream prompts masked', least: 0.99, show: share, of: r => r.streams && r.streams.restore.masked / r.streams.restore.streams },
  { says: 'stream redact: made-up values shown', most: 0.05, show: share, of: r => r.streams && r.streams.redact.shown / r.streams.redact.values },
  { says: 'held back on prose, p50', most: 40, show: plain(0), of: r => r.streams?.held.p50 },
  { says: 'held back on prose, p95', most: 100, show: plain(0), of: r => r.streams?.held.p95 },
]

/** A bar that nothing was measured for is neither reached nor missed; why is in `skipped`. */
export function verdicts(result, tolerance) {
  return BARS.map(({ says, most, least, held, show, timed, of, shown, bar }) => {
    const value = of(result)
    const measured = value !== undefined && !Number.isNaN(value)
    const within = factor => (most === undefined ? value >= least / factor : value <= most * factor)
    const text = bar ?? (most === undefined ? `>= ${show(least)}` : `<= ${show(most)}`)
    if (!measured) return { says, bar: text, measured }
    return { says, bar: text, measured, value, shown: shown?.(result) ?? show(value), reached: within(1), tolerated: within(timed ? 1 + tolerance : 1), ...(held !== undefined && { held: value <= held, heldTo: show(held) }) }
  })
}

/** What `--check` holds against a run. */
export function problems(result) {
  const missed = result.bars.filter(({ measured, tolerated, held }) => measured && !tolerated && held !== true).map(({ says, bar, shown }) => `${says}: ${shown}, wanted ${bar}`)
  return [...missed, ...result.failed]
}
