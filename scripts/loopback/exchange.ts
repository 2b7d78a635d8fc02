import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Dialect } from './dialect.js'
import type { Plan, Refusal } from './faults.js'

// Silence is bounded too: a forgotten test must not hold a socket for ever.
const SILENCE_MS = 300_000
const GARBAGE = 'data: {"id":"broken","choi\n\n'

/** Words as they stand inside a JSON text. */
function inner(words: readonly string[]): string {
  return JSON.stringify(words.join('')).slice(1, -1)
}

/** Writes one answer, waiting in real time. Every wait ends when the client goes away or the server stops. */
export class Exchange {
  readonly #res: ServerResponse
  readonly #signal: AbortSignal
  readonly #onBreak: () => void

  /** @param onBreak told before the server itself breaks the connection. */
  constructor(res: ServerResponse, signal: AbortSignal, onBreak: () => void) {
    this.#res = res
    this.#signal = signal
    this.#onBreak = onBreak
  }

  async before(fault: 'reset' | 'silent'): Promise<void> {
    if (fault === 'silent') await this.#wait(SILENCE_MS)
    this.#onBreak()
    this.#res.socket?.resetAndDestroy()
  }

  refuse({ status, headers, body }: Refusal, own: object, common: Record<string, string>): void {
    const sent = body ?? own
    this.#whole(status, typeof sent === 'string' ? sent : JSON.stringify(sent), { ...common, ...headers })
  }

  async stream(dialect: Dialect, answer: Answer, plan: Plan, paceMs: number): Promise<void> {
    this.#head('text/event-stream; charset=utf-8', dialect.headers(answer.requestId))
    await this.#first(plan, ': keep-alive\n\n')
    let left = plan.breakAfter
    if (left?.words === -1) return this.#end(dialect.errorPiece(answer.requestId))
    let sent = 0
    for (const { kind, data } of dialect.pieces(answer)) {
      if (kind === 'word' && sent > 0 && paceMs > 0) await this.#wait(paceMs)
      if (left !== undefined && kind !== 'head' && sent >= left.words) {
        if (left.how !== 'garbage') return this.#break(left.how, dialect.errorPiece(answer.requestId))
        await this.#write(GARBAGE)
        left = undefined
      }
      if (kind === 'done' && plan.noDone === true) continue
      await this.#write(data)
      if (kind === 'word') sent++
    }
    this.#end()
  }

  async json(dialect: Dialect, answer: Answer, plan: Plan, paceMs: number): Promise<void> {
    const headers = dialect.headers(answer.requestId)
    if (plan.firstAfterMs !== undefined) this.#head('application/json', headers)
    await this.#first(plan, '\n')
    if (paceMs > 0 && answer.words.length > 0) await this.#wait(paceMs * answer.words.length)
    const broken = plan.breakAfter
    const text = JSON.stringify(broken?.how === 'error' ? dialect.error(500, answer.requestId) : dialect.json(answer))
    if (broken === undefined || broken.how === 'error') return this.#res.headersSent ? this.#end(text) : this.#whole(200, text, headers)
    if (!this.#res.headersSent) this.#head('application/json', headers)
    const at = text.indexOf(inner(answer.words)) + inner(answer.words.slice(0, broken.words)).length
    await this.#write(text.slice(0, at))
    if (broken.how === 'garbage') this.#end(`\u0000}{${text.slice(at)}`)
    else await this.#break(broken.how, '')
  }

  async #first({ firstAfterMs = 0, commentEveryMs }: Plan, comment: string): Promise<void> {
    if (commentEveryMs === undefined) return firstAfterMs > 0 ? this.#wait(firstAfterMs) : undefined
    const endMs = performance.now() + firstAfterMs
    for (let leftMs = firstAfterMs; leftMs > 0; leftMs = endMs - performance.now()) {
      await this.#write(comment)
      await this.#wait(Math.min(leftMs, Math.max(1, commentEveryMs)))
    }
  }

  async #break(how: 'cut' | 'truncate' | 'stall' | 'error', errorPiece: string): Promise<void> {
    if (how === 'truncate') return this.#end()
    if (how === 'error') return this.#end(errorPiece)
    if (how === 'stall') await this.#wait(SILENCE_MS)
    this.#onBreak()
    this.#res.destroy()
  }

  #head(contentType: string, headers: Record<string, string>): void {
    this.#res.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache', ...headers })
    this.#res.flushHeaders()
  }

  #whole(status: number, text: string, headers: Record<string, string>): void {
    if (this.#signal.aborted) return
    this.#res.writeHead(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...headers })
    this.#res.end(text)
  }

  #end(text?: string): void {
    if (!this.#signal.aborted) this.#res.end(text)
  }

  /** Resolves when the piece has left, so that breaking the connection afterwards does not swallow it. */
  #write(data: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) return reject(this.#signal.reason as Error)
      const gone = () => reject(this.#signal.reason as Error)
      this.#signal.addEventListener('abort', gone, { once: true })
      this.#res.write(data, () => {
        this.#signal.removeEventListener('abort', gone)
        resolve()
      })
    })
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal })
  }
}
