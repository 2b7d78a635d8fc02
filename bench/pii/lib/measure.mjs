import { DEFAULT_TYPES } from '../types.mjs'
import { adversarial } from './adversarial.mjs'
import { OWN } from './detectors.mjs'
import { coverage, rowsOf, secretNegatives, structured, targets } from './labelled.mjs'
import { prose, randomCodes, randomDigits } from './prose.mjs'
import { records } from './records.mjs'
import { Counts, short } from './scores.mjs'
import { secretCases, secretRecall } from './secrets.mjs'
import { falseHits, sourceTexts } from './sources.mjs'
import { cut, megabytesPerSecond } from './speed.mjs'
import { streams } from './streams.mjs'

const FILES = { synthetic: 'synthetic.jsonl', cases: 'recogniser-cases.jsonl', negatives: 'secret-negatives.jsonl' }
const OPT_IN = ['URL', 'PRIVATE_IP', 'MAC', 'CRYPTO_ADDRESS', 'DATE_OF_BIRTH', 'ADDRESS', 'VIN', 'PLATE', 'IMEI', 'GPS', 'CARD_DETAIL']
const EVERYTHING = { types: ['default', ...OPT_IN], countries: 'all' }
const BAR_LENGTHS = [9, 10, 11, 12]

/** Everything one run measures: a row for each detector, the first one ours. */
class Run {
  skipped = []
  failed = []
  #plan
  #options
  #say
  #data

  constructor(options, plan, say) {
    this.#options = options
    this.#plan = plan
    this.#say = say
    this.#data = this.#read()
  }

  async of(detector) {
    const row = { name: detector.name, title: detector.title }
    const parts = {
      labelled: () => this.#labelled(detector, row),
      secrets: () => this.#secrets(detector, row),
      source: () => this.#source(detector, row),
      digits: () => this.#digits(detector, row),
      speed: () => this.#speed(detector, row),
      adversarial: () => this.#adversarial(detector, row),
      streams: () => this.#streams(detector, row),
    }
    for (const [part, work] of Object.entries(parts)) {
      if (!this.#options.parts.has(part)) continue
      this.#say(`${detector.title}: ${part}`)
      try {
        await work()
      } catch (error) {
        // Another detector that fails has no figures; ours has no excuse.
        const words = `${detector.title}: ${part} could not be measured: ${short(error)}`
        ;(detector.name === OWN ? this.failed : this.skipped).push(words)
      }
    }
    return row
  }

  #read() {
    const { data } = this.#options
    if (data === undefined) {
      this.skipped.push('No labelled text was given: --data ../shared/pii measures precision and recall.')
      return {}
    }
    return Object.fromEntries(
      Object.entries(FILES).map(([key, name]) => {
        const rows = rowsOf(data, name)
        if (rows === undefined) this.skipped.push(`${name} is not in the folder given by --data: what it measures is left out.`)
        return [key, rows]
      }),
    )
  }

  async #labelled(detector, row) {
    row.records = await structured(detector, records(this.#plan.recordsEach))
    if (this.#data.synthetic !== undefined) row.structured = await structured(detector, this.#data.synthetic)
    if (detector.selective) row.coverage = coverage(detector)
    if (this.#data.cases !== undefined) row.targets = await targets(detector, this.#data.cases)
  }

  async #secrets(detector, row) {
    const { withWord, without } = secretCases(this.#plan.secretsEach)
    const secrets = { withWord: await secretRecall(detector, withWord), without: await secretRecall(detector, without) }
    row.secrets = secrets
    if (this.#data.negatives === undefined) return
    secrets.negatives = await secretNegatives(detector, this.#data.negatives)
    const counts = new Counts()
    counts.right = secrets.withWord.found + secrets.without.found
    counts.missed = secrets.withWord.texts + secrets.without.texts - counts.right
    // As many negatives as there are positives, so that the figure does not hang on how many of each were made.
    counts.wrong = secrets.negatives.share * (counts.right + counts.missed)
    secrets.scores = counts.row()
  }

  async #source(detector, row) {
    const { own, installed } = this.#texts()
    row.source = {
      own: await falseHits(detector, own, DEFAULT_TYPES, this.#plan.sourceMs / 3),
      installed: await falseHits(detector, installed, DEFAULT_TYPES, this.#plan.sourceMs),
    }
  }

  #texts() {
    this.#sources ??= sourceTexts(this.#plan.sourceBytes)
    return this.#sources
  }
  #sources

  async #digits(detector, row) {
    const { detect } = detector.open(EVERYTHING)
    const { digitLengths, digitsEach, digitsMs } = this.#plan
    const flaggedOf = async (texts, budgetMs) => {
      let flagged = 0
      let seen = 0
      const stop = performance.now() + budgetMs
      for (const text of texts) {
        if (performance.now() > stop) break
        seen++
        if ((await detect(text)).length > 0) flagged++
      }
      return { flagged, seen, share: flagged / seen }
    }
    const byLength = {}
    const bar = { flagged: 0, seen: 0 }
    for (const length of digitLengths) {
      const result = await flaggedOf(randomDigits([length], digitsEach, length), digitsMs / digitLengths.length)
      byLength[length] = result.share
      if (!BAR_LENGTHS.includes(length)) continue
      bar.flagged += result.flagged
      bar.seen += result.seen
    }
    row.digits = { byLength, bar: { ...bar, share: bar.flagged / bar.seen }, codes: (await flaggedOf(randomCodes(digitsEach), digitsMs / digitLengths.length)).share }
  }

  async #speed(detector, row) {
    const { proseCharacters, codeBytes, speed } = this.#plan
    const running = cut(prose(proseCharacters))
    const { own, installed } = this.#texts()
    const code = cut([...own, ...installed].join('\n').slice(0, codeBytes))
    const rate = (texts, options) => megabytesPerSecond(detector.open, texts, { ...speed, options })
    row.speed = { prose: await rate(running), code: await rate(code) }
    if (!detector.selective) return
    const usPerKb = rateOf => 1_024 / rateOf
    const nationalProse = usPerKb(await rate(running, { countries: 'all' }))
    const nationalCode = usPerKb(await rate(code, { countries: 'all' }))
    const nationalMore = Math.max(nationalProse - usPerKb(row.speed.prose), nationalCode - usPerKb(row.speed.code))
    Object.assign(row.speed, { nationalProse, nationalCode, nationalMore, nationalUsPerKb: Math.max(nationalProse, nationalCode) })
  }

  async #adversarial(detector, row) {
    const own = detector.name === OWN
    const { timeoutMs, budgetMs, ownBudgetMs } = this.#plan.adversarial
    row.adversarial = await adversarial(detector, this.#options.path, { timeoutMs, budgetMs: own ? ownBudgetMs : budgetMs })
    const { rows, of } = row.adversarial
    if (own && Object.keys(rows).length < of) throw new Error('the time was up before all inputs were measured')
  }

  async #streams(detector, row) {
    if (detector.name !== OWN) return
    if (detector.redactPii === undefined) throw new Error('the module exports no redactPii')
    row.streams = await streams(detector.redactPii, this.#plan.streams, this.#say)
  }
}

export async function measure(detectors, options, plan, say) {
  const run = new Run(options, plan, say)
  const rows = []
  for (const detector of detectors) rows.push(await run.of(detector))
  return { detectors: rows, skipped: run.skipped, failed: run.failed }
}
