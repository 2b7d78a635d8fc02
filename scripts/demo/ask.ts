import type { CallOptions, ChatResult } from 'sallyport'
import type { DemoGateway } from './stage.js'
import type { Page } from './terminal.js'

/** An answer as the caller got it. */
export interface Heard {
  readonly result: ChatResult
  /** The text as it was put together from the events, restarts applied. */
  readonly text: string
  /** From the call to the first word the caller saw, in milliseconds. */
  readonly firstMs?: number
  /** What a restart made void. */
  readonly discarded: string
  readonly restarts: number
  /** Another provider went on from half an answer. */
  readonly continued: number
}

/** Asks for a whole answer and prints it. */
export async function chat(gateway: DemoGateway, question: string, options: CallOptions, page: Page): Promise<Heard> {
  const result = await gateway.chat({ model: 'smart', messages: question, maxOutputTokens: 2000 }, options)
  page.paragraph(result.text)
  return { result, text: result.text, discarded: '', restarts: 0, continued: 0 }
}

/** Asks for a stream and prints the text as it arrives. */
export async function stream(gateway: DemoGateway, question: string, options: CallOptions, page: Page): Promise<Heard> {
  const startedMs = performance.now()
  const answer = await gateway.stream({ model: 'smart', messages: question, maxOutputTokens: 2000 }, options)
  const writing = page.answer()
  let firstMs: number | undefined
  const heard = { text: '', discarded: '', restarts: 0, continued: 0 }
  try {
    for await (const event of answer) {
      if (event.type === 'text-delta') {
        firstMs ??= performance.now() - startedMs
        heard.text += event.text
        writing.write(event.text)
      } else if (event.type === 'restart') {
        heard.discarded += heard.text
        heard.text = ''
        heard.restarts++
        writing.discard(`[cut off here (${event.reason}): the text above is void, the answer starts again]`)
      } else if (event.type === 'warning' && event.warning.code === 'changed' && heard.text !== '') {
        heard.continued++
        writing.mark('[cut off here; the next provider goes on:]')
      }
    }
  } finally {
    writing.end()
  }
  return { ...heard, ...(firstMs !== undefined && { firstMs }), result: await answer.result() }
}
