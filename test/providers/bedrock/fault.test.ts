import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Gateway, GatewayError } from 'sallyport'
import { bedrock } from 'sallyport/bedrock'
import { adapter, eventBytes, joined } from './support.js'

const fault = (status: number, type: string | undefined, message: string) => adapter.fault(status, type === undefined ? {} : { 'x-amzn-errortype': type }, { message }, 0)

describe('an error answer of Bedrock', () => {
  it.each([
    [403, 'UnrecognizedClientException:http://internal.amazon.com/coral/', 'credential_rejected'],
    [403, 'ExpiredTokenException:http://internal.amazon.com/coral/', 'credential_rejected'],
    [400, 'ExpiredTokenException', 'credential_rejected'],
    [403, 'AccessDeniedException', 'credential_rejected'],
    [404, 'ResourceNotFoundException', 'model_not_found'],
    [408, 'ModelTimeoutException', 'upstream_error'],
    [424, 'ModelErrorException', 'upstream_error'],
    [429, 'ModelNotReadyException', 'rate_limited'],
    [429, 'ThrottlingException', 'rate_limited'],
    [400, 'ServiceQuotaExceededException', 'quota_exhausted'],
    [500, 'InternalServerException', 'upstream_error'],
    [503, 'ServiceUnavailableException', 'overloaded'],
    [400, 'ValidationException', 'invalid_request'],
  ])('%i %s is %s', (status, type, code) => {
    const error = fault(status, type, 'Of the prompt: 555')
    expect(error).toMatchObject({ code, status, upstream: { type: type.split(':')[0], message: 'Of the prompt: 555' } })
    expect(error.message).not.toContain('555')
  })

  it('may name its type in the body, and its message with a capital letter', () => {
    expect(adapter.fault(400, {}, { __type: 'com.amazon.coral.service#ThrottlingException', Message: 'Slow' }, 0)).toMatchObject({ code: 'rate_limited', upstream: { type: 'ThrottlingException', message: 'Slow' } })
  })

  it.each(['Input is too long for requested model.', 'The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length.'])('that says %j is about the length of the prompt', message => {
    expect(fault(400, 'ValidationException', message).code).toBe('context_length')
  })

  it('that is a page of a proxy is judged by its status, and not repeated', () => {
    expect(adapter.fault(502, {}, '<html>prompt is too long</html>', 0)).toMatchObject({ code: 'upstream_error', upstream: {} })
  })
})

describe('over the real transport', () => {
  let server: Server | undefined
  afterEach(() => new Promise<void>(resolve => (server === undefined ? resolve() : server.close(() => resolve()))))

  async function ask(status: number, headers: Record<string, string>, body: string | Uint8Array): Promise<unknown> {
    const made = createServer((req, res) => void req.resume().on('end', () => res.writeHead(status, headers).end(body)))
    server = made
    await new Promise<void>(resolve => made.listen(0, '127.0.0.1', resolve))
    const gateway = new Gateway({ routes: { smart: bedrock('amazon.nova-lite-v1:0', { region: 'us-east-1', baseUrl: `http://127.0.0.1:${(made.address() as AddressInfo).port}`, credentials: () => ({ accessKeyId: 'id', secretAccessKey: 'secret' }) }) }, retry: { attempts: 1, maxAttempts: 1 } })
    try {
      const stream = await gateway.stream({ model: 'smart', messages: 'Hi' })
      for await (const event of stream) if (event.type === 'restart') throw new Error('The stream began anew.')
      return (await stream.result()).text
    } catch (error) {
      return GatewayError.is(error) ? error.code : error
    } finally {
      await gateway.close()
    }
  }

  it.each<[string, number, Record<string, string>, string | Uint8Array, string]>([
    ['an error in JSON where a stream was asked for', 429, { 'content-type': 'application/json', 'x-amzn-errortype': 'ThrottlingException' }, '{"message":"Slow"}', 'rate_limited'],
    ['an error with a good status', 200, { 'content-type': 'application/json' }, '{"__type":"AccessDeniedException","message":"No"}', 'credential_rejected'],
    ['a page of a proxy', 200, { 'content-type': 'text/html' }, '<html>Log in</html>', 'malformed_response'],
    ['a page without a type', 200, {}, '<html>Log in</html>', 'malformed_response'],
    ['nothing', 200, { 'content-type': 'application/vnd.amazon.eventstream' }, '', 'malformed_response'],
    ['a whole answer', 200, { 'content-type': 'application/json' }, '{"output":{"message":{"role":"assistant","content":[{"text":"Hi."}]}},"stopReason":"end_turn"}', 'Hi.'],
    ['frames', 200, { 'content-type': 'application/vnd.amazon.eventstream' }, joined([eventBytes('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi.' } }), eventBytes('messageStop', { stopReason: 'end_turn' }), eventBytes('metadata', { usage: {} })]), 'Hi.'],
  ])('%s is told for what it is', async (_, status, headers, body, expected) => {
    expect(await ask(status, headers, body)).toBe(expected)
  })
})
