import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FURTHER, NATIONAL, namesOf, ourType, STRUCTURED } from '../types.mjs'
import { Counts, samePlace, uncovered } from './scores.mjs'

export function rowsOf(folder, name) {
  const path = join(folder, name)
  if (!existsSync(path)) return undefined
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

/** Running text with exact spans, as the detector is without options. */
export async function structured(detector, rows) {
  const { detect } = detector.open()
  const byType = new Map(STRUCTURED.map(type => [type, new Counts()]))
  for (const { text, spans } of rows) {
    const found = await detect(text)
    const labelled = spans.map(span => ({ ...span, type: ourType(span.type) })).filter(({ type }) => byType.has(type))
    count(byType, labelled, found)
  }
  return withTotal(byType)
}

function count(byType, labelled, found) {
  const taken = new Set()
  for (const span of labelled) {
    const counts = byType.get(span.type)
    const hit = found.find(finding => finding.type === span.type && !taken.has(finding) && samePlace(finding, span))
    if (hit === undefined) counts.missed++
    else {
      counts.right++
      taken.add(hit)
    }
    counts.characters += span.end - span.start
    // Whatever it is taken for, it does not get out.
    counts.leaked += uncovered(span, found)
  }
  for (const finding of found) if (!taken.has(finding) && byType.has(finding.type)) byType.get(finding.type).wrong++
}

function withTotal(byType) {
  const all = new Counts()
  for (const counts of byType.values()) all.add(counts)
  return Object.fromEntries([...byType, ['all', all]].map(([type, counts]) => [type, counts.row()]))
}

/** What is asked for by name: with the least score there is, because a value alone in a text has no word beside it. */
const ASKED = 0.01

/** The detector for one type, and what that type is called there; undefined where it has no such type. */
function asked(detector, label, least) {
  const { names } = namesOf(label)
  if (!detector.selective) return { detect: detector.open().detect, names }
  for (const type of names) {
    try {
      return { detect: detector.open({ types: [type], ...(least !== undefined && { thresholds: { [type]: least } }) }).detect, names: [type] }
    } catch {
      // It is called something else here.
    }
  }
  return undefined
}

/** Texts that hold one value of the type asked for, or none: one verdict by text, and one by span where there are spans. */
export async function targets(detector, rows) {
  const byLabel = new Map()
  for (const row of rows) {
    if (row.target === undefined) continue
    if (!byLabel.has(row.target)) byLabel.set(row.target, [])
    byLabel.get(row.target).push(row)
  }
  const result = {}
  for (const [label, cases] of byLabel) result[label] = await target(detector, label, cases)
  return { byLabel: result, all: total(Object.values(result)) }
}

async function target(detector, label, cases) {
  const bare = asked(detector, label, ASKED)
  const plain = asked(detector, label, undefined)
  const positives = cases.filter(({ docPositive }) => docPositive).length
  const national = NATIONAL.has(label)
  if (bare === undefined || plain === undefined) return { national, known: false, positives, negatives: cases.length - positives, right: 0, missed: positives, wrong: 0, flagged: 0, alone: 0 }
  const texts = new Counts()
  const spans = new Counts()
  let flagged = 0
  let alone = 0
  for (const { text, spans: labelled, docPositive } of cases) {
    const found = (await bare.detect(text)).filter(finding => isOf(finding, bare.names))
    if (docPositive) texts[found.length > 0 ? 'right' : 'missed']++
    else if (found.length > 0) {
      texts.wrong++
      flagged++
    }
    if (docPositive && (await plain.detect(text)).some(finding => isOf(finding, plain.names))) alone++
    if (labelled !== null) count(new Map([[label, spans]]), labelled.map(span => ({ ...span, type: label })), found.map(({ start, end }) => ({ type: label, start, end })))
  }
  const { right, missed, wrong } = texts
  const negatives = cases.length - positives
  return { national, known: true, positives, negatives, right, missed, wrong, flagged, alone, texts: texts.row(), spans: spans.row() }
}

function isOf(finding, names) {
  return names.includes(finding.type) || names.includes(finding.raw)
}

function total(rows) {
  const of = some => {
    const counts = new Counts()
    let negatives = 0
    for (const row of some) {
      counts.right += row.right
      counts.missed += row.missed
      counts.wrong += row.wrong
      negatives += row.negatives
    }
    return { ...counts.row(), flagged: negatives === 0 ? undefined : counts.wrong / negatives, types: some.length, known: some.filter(row => row.known).length }
  }
  return { every: of(rows), national: of(rows.filter(row => row.national)) }
}

/** Which of Presidio's national identifiers the detector knows by any of their names, and how many others. */
export function coverage(detector) {
  const knows = label => asked(detector, label, undefined) !== undefined
  const missing = [...NATIONAL.keys()].filter(label => !knows(label))
  return { of: NATIONAL.size, known: NATIONAL.size - missing.length, missing, further: FURTHER.filter(knows).length }
}

/** Share of texts that look like secrets, and are none, in which one is found. */
export async function secretNegatives(detector, rows) {
  const { detect } = detector.open()
  const byGroup = {}
  let flagged = 0
  for (const { text, group } of rows) {
    const hit = (await detect(text)).some(({ type }) => type === 'SECRET')
    byGroup[group] ??= { texts: 0, flagged: 0 }
    byGroup[group].texts++
    if (hit) {
      byGroup[group].flagged++
      flagged++
    }
  }
  return { texts: rows.length, flagged, share: flagged / rows.length, byGroup }
}
