import { SIZES_KB } from './adversarial.mjs'

export function grid(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map(line => [...line[column]].length)))
  const cell = (text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))
  return lines.map(line => `  ${line.map(cell).join('  ').trimEnd()}`)
}

const score = value => (value === undefined ? '-' : value.toFixed(3))
const share = value => (value === undefined ? '-' : `${(100 * value).toFixed(1)} %`)
const number = (value, digits = 0) => (value === undefined ? '-' : value === Infinity ? 'inf' : value.toFixed(digits))

function typeLines(detectors, key, title) {
  const measured = detectors.filter(row => row[key] !== undefined)
  if (measured.length === 0) return []
  const lines = [['type', 'detector', 'labelled', 'precision', 'recall', 'F1', 'F2', 'leaked']]
  for (const type of Object.keys(measured[0][key])) {
    for (const { name, [key]: table } of measured) {
      const row = table[type]
      lines.push([type, name, `${row.labelled}`, score(row.precision), score(row.recall), score(row.f1), score(row.f2), share(row.leaked)])
    }
  }
  return [title, ...grid(lines)]
}

const structuredLines = ({ detectors }) => typeLines(detectors, 'structured', 'Running text, structured types, default options (synthetic.jsonl)')
const recordLines = ({ detectors }) => typeLines(detectors, 'records', 'Records and sentences of our own making, as many without a value; no bar: whoever writes both the text and the rules is no judge')

function targetLines({ detectors }) {
  const measured = detectors.filter(({ targets }) => targets !== undefined)
  if (measured.length === 0) return []
  const lines = [['type', 'yes', 'no', ...measured.flatMap(({ name }) => [`${name}: F1`, 'F2', 'flagged', 'alone'])]]
  for (const label of Object.keys(measured[0].targets.byLabel)) {
    const first = measured[0].targets.byLabel[label]
    const cells = measured.flatMap(({ targets }) => {
      const row = targets.byLabel[label]
      return row.known ? [score(row.texts.f1), score(row.texts.f2), `${row.flagged}`, `${row.alone}`] : ['unknown', '', '', '']
    })
    lines.push([label, `${first.positives}`, `${first.negatives}`, ...cells])
  }
  for (const key of ['national', 'every']) {
    const cells = measured.flatMap(({ targets }) => [score(targets.all[key].f1), score(targets.all[key].f2), share(targets.all[key].flagged), ''])
    lines.push([key === 'national' ? 'all national' : 'all', '', '', ...cells])
  }
  return [
    'One type asked for by name (recogniser-cases.jsonl): by text, with the least score there is;',
    '"alone": positives that are also found with the usual least score. Others look for all they know.',
    ...grid(lines),
  ]
}

function coverageLines({ detectors }) {
  return detectors
    .filter(({ coverage }) => coverage !== undefined && coverage.missing.length > 0)
    .map(({ name, coverage }) => `${name} does not know: ${coverage.missing.join(', ')}`)
}

function secretLines({ detectors }) {
  const measured = detectors.filter(({ secrets }) => secrets !== undefined)
  if (measured.length === 0) return []
  const lines = [['detector', 'beside a word', 'without a word', 'negatives flagged', 'F2']]
  for (const { name, secrets } of measured) lines.push([name, share(secrets.withWord.share), share(secrets.without.share), share(secrets.negatives?.share), score(secrets.scores?.f2)])
  const own = measured[0]?.secrets
  const short = part => Object.entries(part?.byShape ?? {}).filter(([, { texts, found }]) => found < texts).map(([shape, { texts, found }]) => `${shape} ${found}/${texts}`)
  const groups = Object.entries(own?.negatives?.byGroup ?? {}).filter(([, { flagged }]) => flagged > 0).map(([group, { texts, flagged }]) => `${group} ${flagged}/${texts}`)
  const missed = [['beside a word', short(own?.withWord)], ['without a word', short(own?.without)], ['negatives flagged', groups]].filter(([, list]) => list.length > 0).map(([what, list]) => `  ${measured[0].name}, ${what}: ${list.join(', ')}`)
  return ['Secrets: made-up tokens of public shapes, and texts that only look like some (secret-negatives.jsonl)', ...grid(lines), ...missed]
}

function sourceLines({ detectors }) {
  const lines = [['detector', 'texts', 'MB', 'false hits', 'by MB', 'addresses', 'cards, IBANs, SSNs', 'types']]
  for (const { name, source } of detectors) {
    if (source === undefined) continue
    for (const [what, row] of [['src/', source.own], ['packages', source.installed]]) {
      const types = Object.entries(row.byType).sort((a, b) => b[1] - a[1]).slice(0, 4).map(([type, count]) => `${type} ${count}`).join(', ')
      lines.push([name, what, number(row.megabytes, 2), `${row.hits}`, number(row.perMb, 1), `${row.addresses}`, `${row.never}`, types])
    }
  }
  if (lines.length === 1) return []
  return ['Clean source code, default types; an address that is one is not false', ...grid(lines)]
}

function digitLines({ detectors }) {
  const measured = detectors.filter(({ digits }) => digits !== undefined)
  if (measured.length === 0) return []
  const lengths = Object.keys(measured[0].digits.byLength)
  const lines = [['detector', ...lengths, '9 to 12', 'codes']]
  for (const { name, digits } of measured) lines.push([name, ...lengths.map(length => share(digits.byLength[length])), share(digits.bar.share), share(digits.codes)])
  return ['Random digits by length, everything on, no context: share flagged; "codes" are two letters and seven digits', ...grid(lines)]
}

function speedLines({ detectors }) {
  const lines = [['detector', 'prose MB/s', 'code MB/s', 'all national: prose µs/KB', 'code µs/KB', 'more than default']]
  for (const { name, speed } of detectors) if (speed !== undefined) lines.push([name, number(speed.prose, 2), number(speed.code, 2), number(speed.nationalProse, 1), number(speed.nationalCode, 1), number(speed.nationalMore, 1)])
  if (lines.length === 1) return []
  return ['Speed, processor time; default types (others: all they know)', ...grid(lines)]
}

function adversarialLines({ detectors }) {
  const measured = detectors.filter(({ adversarial }) => adversarial !== undefined)
  if (measured.length === 0) return []
  const lines = [['detector', 'inputs', 'growth, worst', 'of', 'ms at 64 KB, worst', 'of', 'too long']]
  for (const { name, adversarial: a } of measured) lines.push([name, `${Object.keys(a.rows).length} of ${a.of}`, number(a.growth.value, 2), a.growth.name ?? '-', number(a.at64.value, 1), a.at64.name ?? '-', `${a.slow.length} over ${a.timeoutMs} ms${a.failed.length > 0 ? `, ${a.failed.length} thrown` : ''}`])
  const own = measured[0].adversarial
  const worst = Object.entries(own.rows).sort((x, y) => (y[1].ms[64] ?? Infinity) - (x[1].ms[64] ?? Infinity)).slice(0, 8)
  const detail = [['input', ...SIZES_KB.map(kb => `${kb} KB`), 'growth'], ...worst.map(([name, row]) => [name, ...SIZES_KB.map(kb => number(row.ms[kb], 2)), number(row.growth, 2)])]
  return ['Adversarial inputs: growth 1 is linear, 2 square', ...grid(lines), `  ${measured[0].name}, the slowest, ms:`, ...grid(detail)]
}

function streamLines({ detectors }) {
  const own = detectors.find(({ streams }) => streams !== undefined)?.streams
  if (own === undefined) return []
  const lines = [['', 'streams', 'prompts masked', 'different from the whole', 'not what was wanted', 'made-up values', 'shown']]
  const counts = ({ streams, masked, different }) => [streams, masked, different].map(String)
  lines.push(['restore', ...counts(own.restore), `${own.restore.wrong}`, '-', '-'])
  lines.push(['redact', ...counts(own.redact), '-', `${own.redact.values}`, `${own.redact.shown}`])
  const { held } = own
  const examples = [...own.restore.examples, ...own.redact.examples].map(({ seed, index }) => `${seed}/${index}`)
  return [
    'Streams through a gateway: an answer cut up at random against the same in one piece',
    ...grid(lines),
    ...(examples.length > 0 ? [`  cases (seed/index): ${examples.join(', ')}`] : []),
    `  held back on prose: p50 ${number(held.p50)}, p95 ${number(held.p95)}, most ${number(held.most)} characters after ${held.chunks} chunks; ${held.changed} of ${held.texts} texts changed`,
  ]
}

function verdictOf({ measured, reached, tolerated, held, heldTo }) {
  if (!measured) return ''
  if (reached) return 'reached'
  if (tolerated) return 'missed, within tolerance'
  return held === true ? `MISSED; held to ${heldTo}` : 'MISSED'
}

function barLines({ bars, tolerance }) {
  const lines = [['bar', 'wanted', 'measured', '']]
  for (const one of bars) lines.push([one.says, one.bar, one.measured ? one.shown : 'not measured', verdictOf(one)])
  return [`Bars of sallyport${tolerance > 0 ? `; those in time may be missed by ${100 * tolerance} %` : ''}`, ...grid(lines)]
}

export function text(result) {
  const { machine } = result
  const parts = [structuredLines, recordLines, targetLines, coverageLines, secretLines, sourceLines, digitLines, speedLines, adversarialLines, streamLines, barLines]
  const head = `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}, ${machine.date}; ${result.detectors.map(({ title }) => title).join(', ')}`
  const notes = [...result.skipped, ...result.failed]
  return [head, ...parts.map(part => part(result)).filter(lines => lines.length > 0).map(lines => lines.join('\n')), ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n')
}
