import { AwsV4Signer } from 'aws4fetch'
import { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt, tryParseJson } from '../../protocol/json.js'
import type { HttpCall } from '../../protocol/ports.js'

/** A key pair that requests are signed with, as credential providers of AWS give it. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

/** The key pair inside a secret, or nothing where the secret is a bearer token. Throws `credential_rejected` for half a pair. */
export function pairOf(secret: string): AwsCredentials | undefined {
  if (!secret.startsWith('{')) return undefined
  const given = tryParseJson(secret)
  const [accessKeyId, secretAccessKey, sessionToken] = ['accessKeyId', 'secretAccessKey', 'sessionToken'].map(key => stringAt(given, key))
  if (!isObject(given) || accessKeyId === undefined || secretAccessKey === undefined) throw new GatewayError('credential_rejected', 'The credentials of the deployment are no key pair. Give { accessKeyId, secretAccessKey }, with the sessionToken of temporary ones.', { origin: 'caller' })
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
}

async function digest(body: string | Uint8Array): Promise<string> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body)
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * The call with a signature of version 4. Signed are host, hash of the body, time and token; nothing that a proxy may rewrite.
 * The time is the machine's, for the server compares it with its own. @param datetime another one, as `20261126T101112Z`.
 */
export async function signed(call: HttpCall, pair: AwsCredentials, region: string, datetime?: string): Promise<HttpCall> {
  const headersToSign = { 'x-amz-content-sha256': await digest(call.body ?? '') }
  const signer = new AwsV4Signer({ ...pair, url: call.url, method: call.method, headers: headersToSign, service: 'bedrock', region, ...(datetime !== undefined && { datetime }) })
  const { headers } = await signer.sign()
  return { ...call, headers: { ...call.headers, ...Object.fromEntries(headers) } }
}
