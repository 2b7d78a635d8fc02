import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/protocol/secret.js'
import { pairOf, signed } from '../../../src/providers/bedrock/sign.js'
import { adapter, ask, faultOf, target } from './support.js'

// The key pair and the day of the documentation's own examples, which everybody may know.
const PAIR = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const TIME = '20150830T123600Z'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const keyOf = (secret: string, ...scope: readonly string[]): Buffer => scope.reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))

/** The signature as the documentation has it worked out, step by step. */
function worked(canonicalPath: string, headers: readonly (readonly [string, string])[], body: string, region: string, secret = PAIR.secretAccessKey): string {
  const names = headers.map(([name]) => name).join(';')
  const canonical = ['POST', canonicalPath, '', ...headers.map(([name, value]) => `${name}:${value}`), '', names, hash(body)].join('\n')
  const scope = ['20150830', region, 'bedrock', 'aws4_request']
  return hmac(keyOf(secret, ...scope), ['AWS4-HMAC-SHA256', TIME, scope.join('/'), hash(canonical)].join('\n')).toString('hex')
}

describe('a signed request', () => {
  it('is worked out here as the documentation says: the signing key of its example', () => {
    expect(keyOf(PAIR.secretAccessKey, '20150830', 'us-east-1', 'iam', 'aws4_request').toString('hex')).toBe('c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9')
  })

  it.each([
    ['a model id', 'anthropic.claude-opus-5-v1:0', '/model/anthropic.claude-opus-5-v1%253A0/converse'],
    ['an ARN', 'arn:aws:bedrock:us-east-1:012345678901:inference-profile/us.a:0', '/model/arn%253Aaws%253Abedrock%253Aus-east-1%253A012345678901%253Ainference-profile%252Fus.a%253A0/converse'],
  ])('has %s encoded once in the path and twice in what is signed', async (_, model, canonicalPath) => {
    const { call } = adapter.encode(ask(), target(model), 'json')
    const { url, headers, body } = await signed(call, PAIR, 'us-east-1', TIME)
    expect(new URL(url).pathname).toBe(canonicalPath.replaceAll('%25', '%'))
    const signature = worked(canonicalPath, [['host', 'bedrock-runtime.us-east-1.amazonaws.com'], ['x-amz-content-sha256', hash(String(body))], ['x-amz-date', TIME]], String(body), 'us-east-1')
    expect(headers).toMatchObject({ 'x-amz-date': TIME, 'x-amz-content-sha256': hash(String(body)), authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}` })
  })

  it('of temporary credentials bears their token, and signs it', async () => {
    const { call } = adapter.encode(ask(), target('m'), 'stream')
    const { headers, body } = await signed(call, { ...PAIR, sessionToken: 'a/token+of=theirs' }, 'eu-central-1', TIME)
    expect(headers['x-amz-security-token']).toBe('a/token+of=theirs')
    const signature = worked('/model/m/converse-stream', [['host', 'bedrock-runtime.us-east-1.amazonaws.com'], ['x-amz-content-sha256', hash(String(body))], ['x-amz-date', TIME], ['x-amz-security-token', 'a/token+of=theirs']], String(body), 'eu-central-1')
    expect(headers['authorization']).toContain(`Signature=${signature}`)
  })

  it('holds the secret nowhere, and keeps the headers that were there', async () => {
    const { call } = adapter.encode(ask(), target('m', { headers: { 'x-mine': '1' } }), 'json')
    const authorized = await adapter.authorize(call, new Secret(JSON.stringify(PAIR)))
    expect(JSON.stringify(authorized)).not.toContain(PAIR.secretAccessKey)
    expect(authorized.headers).toMatchObject({ ...call.headers, 'x-mine': '1' })
    expect(authorized.headers['authorization']).toContain('/us-east-1/bedrock/aws4_request')
    expect(call.headers).not.toHaveProperty('authorization')
  })
})

describe('a secret', () => {
  it('that is no key pair is sent as a bearer token', async () => {
    const { call } = adapter.encode(ask(), target('m'), 'json')
    expect((await adapter.authorize(call, new Secret('token'))).headers['authorization']).toBe('Bearer token')
  })

  it.each(['{', '{}', '{"accessKeyId":"a"}', '{"accessKeyId":"a","secretAccessKey":""}', '{"accessKeyId":1,"secretAccessKey":"b"}'])('%s is half a key pair: refused, and not sent as a token', text => {
    const fault = faultOf(() => pairOf(text))
    expect(fault.code).toBe('credential_rejected')
    expect(faultOf(() => adapter.authorize({ method: 'POST', url: 'https://a.example', headers: {} }, new Secret(text))).code).toBe('credential_rejected')
  })
})
