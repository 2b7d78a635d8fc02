import { tsImport } from 'tsx/esm/api'
import { prose } from './prose.mjs'
import { Random } from './random.mjs'
import { quantile } from './scores.mjs'

const CASES = '../../../test/plugins/pii/stream-cases.ts'
const BATCH = 1_000
const TOGETHER = 16
const KEPT = 3

/** What is read off both sides of the plugin: `sent` came from the upstream, `given` goes to the caller. */
class Sides {
  sent = 0
  given = 0
  held = []

  /** The order of event hooks is the last plugin first: this one sees what the upstream said. */
  inner = { name: 'upstream-side', open: () => ({ event: event => this.#said(event) }) }
  outer = { name: 'caller-side', open: () => ({ event: event => this.#gave(event) }) }

  #said(event) {
    if (event.type === 'text-delta') {
      // What was held back after the chunk before this one.
      if (this.sent > 0) this.held.push(Math.max(0, this.sent - this.given))
      this.sent += event.text.length
    }
    return event
  }

  #gave(event) {
    if (event.type === 'text-delta') this.given += event.text.length
    return event
  }
}

/** A gateway whose upstream says what it is told, to the prompt as it reached it. */
class Talk {
  #say
  #gateway
  masked = ''

  constructor({ Gateway, scripted }, redactPii, sides) {
    const answers = (_attempt, request) => {
      this.masked = textOf(request.messages.at(-1))
      return this.#say(this.masked)
    }
    const plugins = [...(sides === undefined ? [] : [sides.outer]), redactPii({ restore: true }), ...(sides === undefined ? [] : [sides.inner])]
    this.#gateway = new Gateway({ routes: { smart: scripted({ answers }) }, plugins })
  }

  async chat(prompt, say) {
    this.#say = say
    return (await this.#gateway.chat({ model: 'smart', messages: prompt })).text
  }

  async stream(prompt, say) {
    this.#say = say
    let text = ''
    for await (const event of await this.#gateway.stream({ model: 'smart', messages: prompt })) if (event.type === 'text-delta') text += event.text
    return text
  }

  close() {
    return this.#gateway.close()
  }
}

function textOf({ content }) {
  return typeof content === 'string' ? content : content.map(part => part.text ?? '').join('')
}

/** The same answer at once and cut up, through the same plugin; `wanted` is what is known of it without either. */
async function compare(talk, made, { promptOf, tokensOf, answerOf, chunksOf }, wanted) {
  const prompt = promptOf(made)
  const answer = masked => answerOf(made, tokensOf(made, masked))
  const whole = await talk.chat(prompt, masked => ({ chunks: [answer(masked)] }))
  const { masked } = talk
  const cut = await talk.stream(prompt, again => ({ chunks: chunksOf(answer(again), made.lengths) }))
  return {
    same: whole === cut,
    right: wanted === undefined || whole === wanted(made),
    masked: masked !== prompt,
    ...shown(made, whole),
  }
}

/** How many made-up values stand apart, and how many of them the caller reads. */
function shown({ pieces }, whole) {
  const apart = (piece, edge) => piece === undefined || (piece.kind === 'words' && edge.test(piece.text))
  const values = pieces.filter(({ kind }, i) => kind === 'value' && apart(pieces[i - 1], /\s$/) && apart(pieces[i + 1], /^\s/))
  return { values: values.length, shown: values.filter(({ value }) => whole.includes(value.text)).length }
}

async function differences(modules, redactPii, cases, { arbitrary, wanted, count, seed }, say) {
  const talks = Array.from({ length: TOGETHER }, () => new Talk(modules, redactPii))
  const result = { streams: 0, different: 0, wrong: 0, masked: 0, values: 0, shown: 0, examples: [] }
  try {
    for (let from = 0; from < count; from += BATCH) {
      const some = cases.sampled(arbitrary, Math.min(BATCH, count - from), seed + from)
      let next = 0
      const work = async talk => {
        while (next < some.length) {
          const index = next++
          const verdict = await compare(talk, some[index], cases, wanted)
          result.streams++
          result.values += verdict.values
          result.shown += verdict.shown
          if (verdict.masked) result.masked++
          if (!verdict.same) result.different++
          if (!verdict.right) result.wrong++
          // The case can be made again from this; its values are not shown.
          if ((!verdict.same || !verdict.right) && result.examples.length < KEPT) result.examples.push({ seed: seed + from, index })
        }
      }
      await Promise.all(talks.map(work))
      if (from > 0 && from % (10 * BATCH) === 0) say(`${from} of ${count} streams`)
    }
  } finally {
    await Promise.all(talks.map(talk => talk.close()))
  }
  return result
}

/** UTF-16 units held back after each chunk of prose that holds nothing to hide, in chunks as models send them. */
async function heldBack(modules, redactPii, { chunksOf }, count) {
  const sides = new Sides()
  const talk = new Talk(modules, redactPii, sides)
  const r = new Random(17)
  let changed = 0
  try {
    for (let i = 0; i < count; i++) {
      sides.sent = 0
      sides.given = 0
      const text = prose(1_500, { seed: 1_000 + i, valued: false })
      const lengths = Array.from({ length: 50 }, () => 1 + r.below(8))
      if ((await talk.stream('Tell me something.', () => ({ chunks: chunksOf(text, lengths) }))) !== text) changed++
    }
  } finally {
    await talk.close()
  }
  return { chunks: sides.held.length, p50: quantile(sides.held, 0.5), p95: quantile(sides.held, 0.95), most: quantile(sides.held, 1), texts: count, changed }
}

/** Streams through a gateway whose upstream is scripted. */
export async function streams(redactPii, { count, proseTexts }, say) {
  const [{ Gateway }, { scripted }] = await Promise.all([import('../../../dist/index.js'), import('../../../dist/testing.js')])
  const modules = { Gateway, scripted }
  const cases = await tsImport(CASES, import.meta.url)
  const restore = await differences(modules, redactPii, cases, { arbitrary: cases.restoreCases, wanted: cases.restoredOf, count, seed: 1 }, say)
  const redact = await differences(modules, redactPii, cases, { arbitrary: cases.redactCases, count, seed: 1_000_003 }, say)
  return { restore, redact, held: await heldBack(modules, redactPii, cases, proseTexts) }
}
