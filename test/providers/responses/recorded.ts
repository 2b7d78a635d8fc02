import type { Frame } from '../../../src/protocol/ports.js'

/** A line of recordings, as far as it is looked at. */
export interface Line {
  readonly id: string
  readonly wire: 'json' | 'stream'
  readonly features: readonly string[]
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: { readonly json?: unknown; readonly text?: string } }
  readonly expect: {
    readonly outcome: string
    readonly choices: readonly { readonly text: string; readonly reasoning?: string; readonly toolCalls: readonly object[]; readonly finish: { readonly raw: string | null } }[]
    readonly usage?: { readonly input: number; readonly output: number }
    readonly error?: { readonly class: string; readonly message?: string }
  }
}

export function parse(text: string): Line[] {
  return text.trim().split('\n').map(line => JSON.parse(line) as Line)
}

/** The responses of a stream, for some recordings hold several one behind the other. */
export function messagesOfStream(frames: readonly Frame[]): Frame[][] {
  const out: Frame[][] = [[]]
  for (const frame of frames) {
    out.at(-1)?.push(frame)
    if (frame.event === 'response.completed') out.push([])
  }
  return out.filter(each => each.length > 0)
}
