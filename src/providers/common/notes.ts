import type { Warning } from '../../protocol/events.js'

/** Warnings of one request, each sentence once. */
export class Notes {
  readonly list: Warning[] = []
  add(code: Warning['code'], message: string, parameter?: string): void {
    if (this.list.some(known => known.message === message)) return
    this.list.push({ code, message, ...(parameter !== undefined && { parameter }) })
  }
}

/** Of an answer that a length limit cut inside a tool call. */
export const CUT_CALL: Warning = Object.freeze({ code: 'dropped', message: 'The answer was cut inside a tool call; the call was left out. Raise maxOutputTokens.', parameter: 'maxOutputTokens' })
