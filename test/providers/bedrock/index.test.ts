import { describe, expect, it } from 'vitest'
import { Gateway } from 'sallyport'
import { bedrock } from 'sallyport/bedrock'
import { Credentials } from '../../../src/credentials.js'
import type { Deployment } from '../../../src/protocol/ports.js'
import { faultOf } from './support.js'

const ARN = 'arn:aws:bedrock:eu-west-1:012345678901:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
const baseUrlOf = ({ reach }: Deployment): string => ('baseUrl' in reach ? reach.baseUrl : '')

async function secretOf(deployment: Deployment, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const found = new Credentials(undefined, name => env[name]).of(deployment)
  if ('reason' in found) return found.reason
  const { keys } = found
  return typeof keys === 'function' ? keys() : keys?.map(secret => secret.reveal())
}

describe('a deployment on Bedrock', () => {
  it('goes to the region it is given, or to the one of its ARN', () => {
    expect(bedrock('amazon.nova-pro-v1:0', { region: 'us-east-1' })).toMatchObject({ id: 'amazon-bedrock/amazon.nova-pro-v1:0', provider: 'amazon-bedrock', region: 'us-east-1', reach: { baseUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com' } })
    expect(baseUrlOf(bedrock(ARN))).toBe('https://bedrock-runtime.eu-west-1.amazonaws.com')
    expect(baseUrlOf(bedrock(ARN, { region: 'us-west-2' }))).toBe('https://bedrock-runtime.us-west-2.amazonaws.com')
    expect(baseUrlOf(bedrock('m', { region: 'cn-north-1' }))).toBe('https://bedrock-runtime.cn-north-1.amazonaws.com.cn')
    expect(baseUrlOf(bedrock('m', { region: 'us-gov-west-1' }))).toBe('https://bedrock-runtime.us-gov-west-1.amazonaws.com')
  })

  it('knows of a Claude model what its name tells, through the prefix of a profile', () => {
    expect(bedrock(ARN).capabilities).toMatchObject({ tools: true, images: true, jsonSchema: true, reasoning: true })
    expect(bedrock('amazon.nova-pro-v1:0', { region: 'us-east-1', capabilities: { images: true } }).capabilities).toEqual({ images: true })
  })

  it.each<[string, () => unknown, RegExp]>([
    ['no region', () => bedrock('m'), /region: process\.env\.AWS_REGION/],
    ['a region that would be another host', () => bedrock('m', { region: 'evil.example/x' }), /name of an AWS region/],
    ['a region that is empty', () => bedrock('m', { region: '' }), /name of an AWS region/],
    ['a model that would leave its path', () => bedrock('..', { region: 'us-east-1' }), /model comes first/],
    ['no model', () => bedrock(undefined as never), /model comes first/],
    ['options that are none', () => bedrock('m', null as never), /must be an object/],
    ['an option nobody knows', () => bedrock('m', { region: 'us-east-1', regoin: 'x' } as never), /regoin/],
    ['two credentials', () => bedrock('m', { region: 'us-east-1', apiKey: 'a', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }), /not both/],
    ['half a key pair', () => bedrock('m', { region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: '' } }), /missing environment variable/],
  ])('refuses %s with the fix', (_, run, sentence) => {
    const fault = faultOf(run)
    expect(fault.code).toBe('invalid_config')
    expect(fault.message).toMatch(sentence)
  })
})

describe('the credential', () => {
  const own = bedrock('m', { region: 'us-east-1' })

  it('is the API key of the environment, else its key pair, else a sentence that says what to set', async () => {
    const pair = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: ' secret\n' }
    expect(await secretOf(own, { AWS_BEARER_TOKEN_BEDROCK: 'token', ...pair })).toEqual(['token'])
    expect(await secretOf(own, pair)).toEqual(['{"accessKeyId":"id","secretAccessKey":"secret"}'])
    expect(await secretOf(own, { ...pair, AWS_SESSION_TOKEN: 'session' })).toEqual(['{"accessKeyId":"id","secretAccessKey":"secret","sessionToken":"session"}'])
    expect(await secretOf(own, { AWS_ACCESS_KEY_ID: 'id' })).toBe('no_credential: set AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or give apiKey')
  })

  it('of the environment goes to no other host', async () => {
    expect(await secretOf(bedrock('m', { region: 'us-east-1', baseUrl: 'https://proxy.example' }), { AWS_BEARER_TOKEN_BEDROCK: 'token' })).toContain('not sent to another host')
  })

  it('may come from a credential provider, of which only the pair is kept', async () => {
    expect(await secretOf(bedrock('m', { region: 'us-east-1', credentials: () => Promise.resolve({ accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 's', expiration: 'soon' }) }))).toBe('{"accessKeyId":"id","secretAccessKey":"secret","sessionToken":"s"}')
    expect(await secretOf(bedrock('m', { region: 'us-east-1', credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } }))).toEqual(['{"accessKeyId":"id","secretAccessKey":"secret"}'])
    await expect(secretOf(bedrock('m', { region: 'us-east-1', credentials: () => ({}) as never }))).rejects.toMatchObject({ code: 'invalid_config' })
  })

  it('that is missing leaves the deployment out, with the reason', async () => {
    const gateway = new Gateway({ routes: { smart: bedrock('m', { region: 'us-east-1', baseUrl: 'http://127.0.0.1:9' }) } })
    await expect(gateway.chat({ model: 'smart', messages: 'Hi' })).rejects.toMatchObject({ code: 'no_candidates' })
    await gateway.close()
  })
})
