import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fallback, Gateway, GatewayError } from 'sallyport'
import { ERRORS, type ErrorRow } from './errors/rows.js'
import { MORE_ERRORS } from './errors/rows-more.js'
import { Wire, type Reply } from './rows/wire.js'

let wire: Wire
beforeAll(async () => {
  wire = await Wire.start()
})
afterAll(() => wire.stop())

const PROMPT = 'the prompt stands here'
const FINE: Readonly<Record<string, Reply>> = {
  '/messages': { body: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'fine' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } } },
  '/chat/completions': { body: { id: 'c', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1 } } },
}
const fine = ({ name, fine: own }: ErrorRow): Reply => own ?? FINE[name.startsWith('anthropic:') ? '/messages' : '/chat/completions'] ?? { body: '' }

async function ask(row: ErrorRow, gateway: Gateway): Promise<unknown> {
  try {
    if (row.stream !== true) return await gateway.chat({ model: 'row', messages: PROMPT })
    return await (await gateway.stream({ model: 'row', messages: PROMPT })).result()
  } catch (error) {
    return error
  } finally {
    await gateway.close()
  }
}

function deployments({ make }: ErrorRow) {
  return [make(wire.origin, 'first-model', { id: 'first', capabilities: { contextWindow: 100_000 } }), make(wire.origin, 'second-model', { id: 'second', capabilities: { contextWindow: 200_000 } })] as const
}

describe('an error answer, over a socket', () => {
  it.each([...ERRORS, ...MORE_ERRORS].map(row => [row.name, row] as const))('%s: is named for what it is, and tried again only where that may help', async (_, row) => {
    const [first, second] = deployments(row)
    wire.play(row.reply)
    const error = await ask(row, new Gateway({ routes: { row: first }, retry: { attempts: 1, maxAttempts: 1 } }))
    if (!GatewayError.is(error)) throw new Error('It did not fail with an error of ours.')
    expect(error).toMatchObject({ code: row.code, origin: 'upstream', ...row.error })
    expect(error.message + JSON.stringify(error)).not.toContain(PROMPT)
    expect(error.message).not.toMatch(/Unexpected token|undefined|\[object/)

    wire.play(row.reply, fine(row), fine(row))
    const walk = new Gateway({ routes: { row: fallback(first, second) }, retry: { attempts: 2, maxAttempts: 3, baseMs: 0, retryAfterCapMs: 100 }, random: () => 0 })
    const ended = await ask(row, walk)
    const asked = wire.arrived.map(({ body, path }) => body['model'] ?? /(?:first|second)-model/.exec(path)?.[0])
    expect(asked).toEqual({ again: ['first-model', 'first-model'], next: ['first-model', 'second-model'], stop: ['first-model'] }[row.then])
    if (row.then === 'stop') expect(ended).toMatchObject({ code: row.code })
    else expect(ended).toMatchObject({ text: 'fine' })
  })
})
