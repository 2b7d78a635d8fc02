import { describe, expect, it } from 'vitest'
import { binaryDeliveries } from '../../scripts/recordings/deliveries.js'
import { bedrockMeaning } from '../../scripts/recordings/meaning-bedrock.js'
import { readBedrock } from '../../scripts/recordings/read-bedrock.js'
import { wrongSignature } from '../../scripts/recordings/signature.js'
import { signed } from '../../src/providers/bedrock/sign.js'

const PAIR = { accessKeyId: 'id', secretAccessKey: 'secret' }
const SIGNER = { ...PAIR, region: 'us-east-1', service: 'bedrock' }

async function arrived(change: Readonly<Record<string, string>> = {}) {
  const { headers, body } = await signed({ method: 'POST', url: 'http://127.0.0.1:9/7/model/a%3A0/converse', headers: {}, body: '{}' }, PAIR, 'us-east-1')
  return { method: 'POST', path: '/model/a%3A0/converse', headers: { host: '127.0.0.1:9', ...headers, ...change }, body: String(body) }
}

describe('a signature that arrived', () => {
  it('is right where it is worked out anew from the same secret', async () => {
    expect(wrongSignature(await arrived(), '/7', SIGNER)).toEqual([])
  })

  it.each<[string, Readonly<Record<string, string>>, Partial<typeof SIGNER>, string]>([
    ['the secret is another', {}, { secretAccessKey: 'other' }, 'the signature is wrong'],
    ['the host is another', { host: 'elsewhere' }, {}, 'the signature is wrong'],
    ['the region is another', {}, { region: 'eu-west-1' }, 'the scope of the signature is wrong'],
    ['the hash is of another body', { 'x-amz-content-sha256': 'ab' }, {}, 'not the hash of the body'],
    ['there is none', { authorization: 'Bearer a' }, {}, 'not signed'],
  ])('is wrong where %s', async (_, change, signer, sentence) => {
    expect(wrongSignature(await arrived(change), '/7', { ...SIGNER, ...signer })[0]).toContain(sentence)
  })
})

describe('a recorded body of Bedrock', () => {
  it('comes in every delivery with the bytes it has, none of which is rewritten', () => {
    const bytes = Uint8Array.from({ length: 3000 }, (_, at) => at % 256)
    for (const { cut } of binaryDeliveries()) expect(new Uint8Array(Buffer.concat(cut(bytes)))).toEqual(bytes)
  })

  it('is read into our words, and what we have no word for goes along', () => {
    const asked = readBedrock({ messages: [{ role: 'user', content: [{ text: 'a' }, { cachePoint: { type: 'default' } }, { video: {} }] }], inferenceConfig: { maxTokens: 5 }, guardrailConfig: { trace: 'enabled' }, additionalModelRequestFields: { inferenceConfig: { topK: 3 } } })
    expect(asked).toEqual({ messages: [{ role: 'user', content: [{ type: 'text', text: 'a', cacheControl: {} }, { type: 'text', text: '', providerData: { bedrock: { block: { video: {} } } } }] }], maxOutputTokens: 5, topK: 3, providerOptions: { bedrock: { guardrailConfig: { trace: 'enabled' } } } })
    expect(() => readBedrock({ messages: [{ role: 'user', content: [{ cachePoint: { type: 'default' } }] }] })).toThrow('cache point')
  })

  it('means the same with empty fields and without, with neighbours joined and apart, and nothing else', () => {
    const plain = { messages: [{ role: 'user', content: [{ text: 'a' }, { text: 'b' }] }] }
    expect(bedrockMeaning({ ...plain, system: [], inferenceConfig: { stopSequences: [] } })).toEqual(bedrockMeaning(plain))
    expect(bedrockMeaning({ messages: [{ role: 'user', content: [{ text: 'a' }] }, { role: 'user', content: [{ text: ' ' }, { text: 'b' }] }] })).toEqual(bedrockMeaning(plain))
    expect(bedrockMeaning({ ...plain, x: 1 })).not.toEqual(bedrockMeaning(plain))
  })
})
