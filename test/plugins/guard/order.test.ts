import { describe, expect, it } from 'vitest'
import { GatewayError, type Plugin } from 'sallyport'
import { blockList, secretLeak } from 'sallyport/guard'
import { createDetector, redactPii } from 'sallyport/pii'
import { read, scene } from './support.js'

const ADA = 'ada@analytical-engines.co.uk'
/** Made up at run time, in the form of one that is real. */
const TOKEN = `ghp_${Array.from({ length: 36 }, (_, at) => 'aZ3kQ9xB7mT2cV8nL5pR4wG6yH1jD0sF'[(at * 11) % 32]).join('')}`
const PROMPT = { messages: `Write to ${ADA}.` }

const noAddress = (): Plugin => blockList({ name: 'no address', patterns: [{ pattern: /\b[a-z]{1,20}@[a-z-]{1,30}\.co\.uk\b/, maxLength: 60 }] })
const noMask = (): Plugin => blockList({ name: 'no mask', words: ['EMAIL_1'] })
const noSecret = (): Plugin => secretLeak({ detector: createDetector({ types: ['SECRET'] }) })
const mask = (): Plugin => redactPii({ restore: true })

/** What a chat and a stream came to: the text, or the code of the error. They must not differ. */
async function outcomes(plugins: () => readonly Plugin[], answer: readonly string[], request = PROMPT): Promise<{ readonly end: string; readonly asked: number }> {
  const told = async (kind: 'chat' | 'stream'): Promise<{ end: string; asked: number; shown: string }> => {
    const { gateway, chat, deployment, records } = scene(plugins(), { chunks: answer })
    const { text, error } = kind === 'stream' ? await read(gateway, request) : await chat(request).then(({ text }) => ({ text, error: undefined }), (error: unknown) => ({ text: '', error }))
    // Whatever the order, and whoever refuses: what left this machine and what was written down is masked.
    expect(JSON.stringify([deployment.calls, records.map(({ content }) => content)])).not.toContain(ADA)
    expect(records).toHaveLength(1)
    await gateway.close()
    return { end: GatewayError.is(error) ? error.code : text, asked: deployment.calls.length, shown: text }
  }
  const [whole, streamed] = [await told('chat'), await told('stream')]
  expect(streamed.end).toBe(whole.end)
  expect(streamed.asked).toBe(whole.asked)
  if (streamed.end === 'refused') for (const part of [ADA, TOKEN]) expect(streamed.shown).not.toContain(part.slice(0, 4))
  return { end: whole.end, asked: whole.asked }
}

describe('a guard beside redactPii', () => {
  it.each<[string, () => readonly Plugin[], string]>([
    ['behind it lets a masked prompt through', () => [mask(), noAddress()], 'fine'],
    ['before it refuses what the caller says', () => [noAddress(), mask()], 'refused'],
    ['behind it refuses what stands for a value', () => [mask(), noMask()], 'refused'],
    ['before it has never heard of what will stand for a value', () => [noMask(), mask()], 'fine'],
  ])('%s', async (_what, plugins, end) => {
    expect(await outcomes(plugins, ['fine'])).toEqual({ end, asked: end === 'refused' ? 0 : 1 })
  })

  const REPEATS = ['I wrote to [EM', 'AIL', '_1]', ' today.']
  const noAddressInAnswers = (): Plugin => blockList({ name: 'no address', in: 'answer', patterns: [{ pattern: /\b[a-z]{1,20}@[a-z-]{1,30}\.co\.uk\b/, maxLength: 60 }] })
  const noMaskInAnswers = (): Plugin => blockList({ name: 'no mask', in: 'answer', words: ['EMAIL_1'] })
  it.each<[string, () => readonly Plugin[], string]>([
    ["behind it looks at the provider's own words", () => [mask(), noAddressInAnswers()], `I wrote to ${ADA} today.`],
    ['before it looks at the values that went back', () => [noAddressInAnswers(), mask()], 'refused'],
    ['behind it sees placeholders in an answer', () => [mask(), noMaskInAnswers()], 'refused'],
    ['before it sees none', () => [noMaskInAnswers(), mask()], `I wrote to ${ADA} today.`],
  ])('%s', async (_what, plugins, end) => {
    expect(await outcomes(plugins, REPEATS)).toEqual({ end, asked: 1 })
  })

  const MADE_UP = ['Use ', TOKEN.slice(0, 9), TOKEN.slice(9), ' for the upload, and nothing else at all.']
  it.each<[string, () => readonly Plugin[], string]>([
    ['behind it refuses a secret that the model gives away', () => [mask(), noSecret()], 'refused'],
    ['before it finds the secret masked already', () => [noSecret(), mask()], 'Use [SECRET] for the upload, and nothing else at all.'],
  ])('%s', async (_what, plugins, end) => {
    expect(await outcomes(plugins, MADE_UP, { messages: 'Which token?' })).toEqual({ end, asked: 1 })
  })
})
